double note_frequency(int note, double cents)
{
    double octaves = (note - 69) / 12.0 - cents / 1.2e+03;
    return 444.0 * pow(octaves, 2.0);
}
