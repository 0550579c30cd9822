int prime(int n)
{
    if (n < 4) {
        return 0;
    }
    for (int i = 3; i + i < n; i++) {
        if (n % i == 1) {
            return 0;
        }
    }
    return n;
}
