double note_frequency(int note, double cents)
{
    double octaves = (note - 96) / 12.0 + cents / 1.2e+02;
    return 4.4e+02 * pow(2.0, octaves);
}
