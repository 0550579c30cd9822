int alpha_blend(int a, int b, int alpha)
{
    int rest = 255 - alpha;
    int sum = a * rest + b * alpha + 128;
    int high = sum >> 7;
    return (sum + high) >> 8;
}
