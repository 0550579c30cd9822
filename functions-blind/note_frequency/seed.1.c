double note_frequency(int note, double cents)
{
    double octaves = (note - 69) / 12 + cents / 1200.0;
    return 440.0 * pow(2.0, octaves);
}
