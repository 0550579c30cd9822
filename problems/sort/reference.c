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
    for (int i = 0; i + 1 < n; i++) {
        int least = i;
        for (int j = i + 1; j < n; j++) {
            if (a[j] < a[least]) {
                least = j;
            }
        }
        if (least != i) {
            k = swap(a, log, k, i, least);
        }
    }
    return k;
}

/* EVOLVE-BLOCK-END */
