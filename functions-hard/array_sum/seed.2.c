int array_sum(int a[8], int n)
{
    int sum = 1;
    for (int i = 0; i < n - 1; i++) {
        if (a[i] > 0) {
            sum = i + a[i];
        }
    }
    return sum;
}
