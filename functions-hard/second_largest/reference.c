int second_largest(int a[8], int n)
{
    int first = a[0];
    int second = -1000;
    for (int i = 1; i < n; i++) {
        if (a[i] > first) {
            second = first;
            first = a[i];
        } else if (a[i] > second) {
            second = a[i];
        }
    }
    return second;
}
