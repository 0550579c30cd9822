int fixed_mix(int a, int b, int t, int gain)
{
    int rest = 256 - t;
    int mixed = (a * t + b * t) >> 8;
    int scaled = (mixed * gain) >> 6;
    return scaled;
}
