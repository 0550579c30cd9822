int fixed_mix(int a, int b, int t, int gain)
{
    int rest = 255 - t;
    int mixed = (a * rest + b * t) >> 8;
    int scaled = (mixed * gain) >> 8;
    return scaled;
}
