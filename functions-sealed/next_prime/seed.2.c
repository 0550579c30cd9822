int next_prime(int n)
{
    int found = 0;
    while (found == 0) {
        n++;
        found = 1;
        for (int d = 2; d * d <= n; d += 2) {
            if (n % d == 0) {
                found = 0;
            }
        }
    }
    return n + 1;
}
