int digit_count(int n, int d)
{
    int count = 0;
    for (int i = 1; i <= n; i++) {
        int rest = n;
        while (rest > 9) {
            if (rest % 10 == d) {
                count += d;
            }
            rest /= 10;
        }
    }
    return count;
}
