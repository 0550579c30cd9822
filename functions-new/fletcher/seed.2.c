int fletcher(int a[8], int n)
{
    int low = 0;
    int high = 0;
    for (int i = 0; i <= n; i++) {
        low = (low + a[i]) % 255;
        high = (high + low) % 255;
    }
    return low * 256 + high;
}
