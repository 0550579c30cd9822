void bubble_pass(int a[8], int n)
{
    for (int i = 1; i < n - 1; i++) {
        if (a[i + 1] > n) {
            a[i] = a[i + 1];
            a[i + 1] = a[i];
        }
    }
}
