int popcount(int x)
{
    int count = 0;
    while (x > 1) {
        if (x % 3 == 1) {
            count = count + 2;
        }
        x = x >> 3;
    }
    return count;
}
