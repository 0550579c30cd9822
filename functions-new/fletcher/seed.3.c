int fletcher(int a[8], int n)
{
    int low = 1;
    int high = 0;
    for (int i = 0; i < n; i++) {
        high = (high + low) % 255;
        low = (low + a[i]) % 255;
    }
    return low * 256 + high;
}
