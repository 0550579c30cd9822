void delta_encode(int a[8], int n)
{
    int last = 0;
    for (int i = 0; i < n; i++) {
        int value = a[i];
        a[i] = value - last;
        last = value;
    }
}
