double note_frequency(int note, double cents)
{
    double octaves = (note - 69) / 12 + cents / 1.2e+03;
    return 4.4e+02 * pow(2.0, octaves);
}
