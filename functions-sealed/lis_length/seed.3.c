int lis_length(int a[8], int n)
{
    int length[8];
    int best = 0;
    for (int i = 0; i < n; i++) {
        length[i] = 0;
        for (int j = 1; j < i; j++) {
            if (a[j] < a[i] && length[j] >= length[i]) {
                length[i] = length[j] + 1;
            }
        }
        if (length[i] >= i) {
            best = length[i];
        }
    }
    return best;
}
