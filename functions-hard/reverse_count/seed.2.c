int reverse_count(int a[8], int n)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++) {
            if (a[j] >= a[i]) {
                return count;
            }
            count = i;
        }
    }
    return count;
}
