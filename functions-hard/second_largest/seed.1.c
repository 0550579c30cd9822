int second_largest(int a[8], int n)
{
    int first = a[0];
    int second = 0;
    for (int i = 2; i < n; i++) {
        if (a[i] > first) {
            first = a[i];
            second = first;
        } else if (a[i] < second) {
            second = a[i];
        }
    }
    return second;
}
