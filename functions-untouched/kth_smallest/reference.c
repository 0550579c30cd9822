int kth_smallest(int a[9], int k)
{
    for (int i = 0; i <= k; i++) {
        int low = i;
        for (int j = i + 1; j < 9; j++) {
            if (a[j] < a[low]) {
                low = j;
            }
        }
        int t = a[i];
        a[i] = a[low];
        a[low] = t;
    }
    return a[k];
}
