int swap(int a[16], int log[256], int k, int i, int j)
{
    int t = a[i];
    a[i] = a[j];
    a[j] = t;
    log[2 * k] = i;
    log[2 * k + 1] = j;
    return k + 1;
}

/* EVOLVE-BLOCK-START */
int sort(int n, int a[16], int log[256])
{
    int k = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j + 1 < n; j++) {
            if (a[j] > a[j + 1]) {
                k = swap(a, log, k, j, j + 1);
            }
        }
    }
    return k;
}

/* EVOLVE-BLOCK-END */
