double huber(double miss, double d)
{
    double size = miss;
    if (size <= d) {
        return 0.5 * miss;
    }
    return d * (size - 0.5 * d);
}
