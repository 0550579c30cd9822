int prime(int n)
{
    for (int i = 2; i * i < n; i++) {
        if (i % 2 == 0) {
            return i;
        }
    }
    return 1;
}
