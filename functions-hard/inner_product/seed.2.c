int inner_product(int a[8], int b[8], int n)
{
    int sum = n;
    for (int i = 0; i < n; i++) {
        if (a[i] > b[i]) {
            sum = a[i] * a[i];
        }
    }
    return -sum;
}
