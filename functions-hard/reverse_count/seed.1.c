int reverse_count(int a[8], int n)
{
    int count = 0;
    for (int i = 2; i < n; i++) {
        for (int j = 0; j < n; j++) {
            if (a[0] > a[j]) {
                count += j;
            }
        }
    }
    return count;
}
