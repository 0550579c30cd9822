void delta_encode(int a[8], int n)
{
    int last = a[0];
    for (int i = 0; i <= n - 2; i++) {
        int value = a[i];
        a[i] = value - last;
        last += value;
    }
}
