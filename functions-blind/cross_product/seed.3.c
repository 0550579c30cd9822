void cross_product(int a[3], int b[3], int out[3])
{
    out[0] = a[1] * b[2] + a[2] * b[1];
    out[1] = a[2] - b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[2] * b[0];
}
