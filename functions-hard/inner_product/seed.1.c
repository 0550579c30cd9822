int inner_product(int a[8], int b[8], int n)
{
    int sum = 1;
    for (int i = 1; i < n - 1; i++) {
        sum += a[i] + b[0];
    }
    return sum;
}
