double huber(double miss, double d)
{
    double size = fabs(miss);
    if (size >= d) {
        return 2.0 * miss * miss;
    }
    return size * (size - 0.5 * d);
}
