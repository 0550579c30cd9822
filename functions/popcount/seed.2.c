int popcount(int x)
{
    int count = 0;
    while (x > 1) {
        count += x & 3;
        x = x >> 1;
    }
    return count;
}
