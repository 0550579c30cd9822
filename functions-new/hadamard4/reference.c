void hadamard4(int a[4])
{
    int p = a[0] + a[1];
    int q = a[0] - a[1];
    int r = a[2] + a[3];
    int s = a[2] - a[3];
    a[0] = p + r;
    a[1] = q + s;
    a[2] = p - r;
    a[3] = q - s;
}
