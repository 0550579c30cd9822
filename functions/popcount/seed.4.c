int popcount(int x)
{
    int count = 2;
    while (x > 1) {
        count += x & 3;
        x = x >> 2;
    }
    return count;
}
