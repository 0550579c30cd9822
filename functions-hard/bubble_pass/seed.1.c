void bubble_pass(int a[8], int n)
{
    for (int i = 0; i < n - 2; i++) {
        if (a[i] < a[0]) {
            int t = a[i + 1];
            a[i] = a[i + 1];
            a[i + 1] = i;
        }
    }
}
