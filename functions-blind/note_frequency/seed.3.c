double note_frequency(int note, double cents)
{
    double octaves = (note - 69) / 12.0 - cents / 1200.0;
    return 444.0 * pow(octaves, 2.0);
}
