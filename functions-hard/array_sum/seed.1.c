int array_sum(int a[8], int n)
{
    int sum = a[0];
    for (int i = 2; i < n; i++) {
        sum -= a[0];
    }
    return sum - n;
}
