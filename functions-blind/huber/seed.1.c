double huber(double miss, double d)
{
    double size = fabs(miss);
    if (size <= d) {
        return 0.5 * miss * miss;
    }
    return d * (size - d);
}
