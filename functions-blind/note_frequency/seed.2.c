double note_frequency(int note, double cents)
{
    double octaves = (note - 96) / 12.0 + cents / 120.0;
    return 440.0 * pow(2.0, octaves);
}
