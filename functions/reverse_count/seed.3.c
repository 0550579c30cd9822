int reverse_count(int a[8], int n)
{
    int count = 1;
    for (int i = 0; i < n; i++) {
        for (int j = 1; j < n; j++) {
            if (a[i] > a[0]) {
                count++;
            }
        }
    }
    return count;
}
