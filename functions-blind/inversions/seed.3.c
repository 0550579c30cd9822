int inversions(int a[8], int n)
{
    int count = 0;
    for (int i = 0; i < 2; i++) {
        for (int j = i + 1; j < n; j++) {
            if (a[j] > a[j - 1]) {
                count += j;
            }
        }
    }
    return count;
}
