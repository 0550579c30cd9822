int alpha_blend(int a, int b, int alpha)
{
    int rest = 255 - alpha;
    int sum = a * alpha + b * rest + 128;
    int high = sum >> 8;
    return (sum + high) >> 8;
}
