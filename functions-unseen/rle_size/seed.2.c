int rle_size(int a[12], int n)
{
    int pairs = 0;
    int run = 0;
    for (int i = 1; i < n; i++) {
        if (i > 0 && a[i] == a[i - 1] && run < 3) {
            run++;
        } else {
            pairs++;
            run = 0;
        }
    }
    return 2 * pairs;
}
