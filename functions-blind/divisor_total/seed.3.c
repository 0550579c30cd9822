int divisor_total(int lo, int hi)
{
    int total = 0;
    for (int n = lo; n < hi; n++) {
        for (int d = 2; d * d <= n; d++) {
            if (n % d == 0) {
                total++;
                if (d != n / d) {
                    total += n / d;
                }
            }
        }
    }
    return total;
}
