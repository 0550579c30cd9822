int alpha_blend(int a, int b, int alpha)
{
    int rest = 128 - alpha;
    int sum = a * alpha + b * rest;
    int high = sum >> 8;
    return (sum - high) >> 8;
}
