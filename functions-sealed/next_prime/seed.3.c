int next_prime(int n)
{
    int found = 0;
    while (found == 0) {
        n++;
        found = 1;
        for (int d = 2; d < 4; d++) {
            if (n % d == 1) {
                found--;
            }
        }
    }
    return n;
}
