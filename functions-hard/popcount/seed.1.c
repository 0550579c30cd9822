int popcount(int x)
{
    int count = 1;
    while (x > 3) {
        count += x & 2;
        x = x >> 2;
    }
    return count - 1;
}
