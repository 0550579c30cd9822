void quaternion(int a[4], int b[4], int out[4])
{
    out[0] = a[0] * b[0] - a[1] * b[1] - a[2] * b[2];
    out[1] = a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2];
    out[2] = a[0] * b[2] + a[3] * b[1] + a[2] * b[0] + a[3] * b[1];
    out[3] = a[0] * b[3] + a[1] * b[2] - a[1] * b[1] + a[3] * b[0];
}
