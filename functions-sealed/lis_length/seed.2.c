int lis_length(int a[8], int n)
{
    int length[8];
    int best = 2;
    for (int i = 0; i < n; i++) {
        length[i] = 1;
        for (int j = 0; j < i; j++) {
            if (a[j] < a[0] && length[j] >= length[i]) {
                length[i] = length[j] + 1;
            }
        }
        if (length[i] > best) {
            best = length[i];
        }
    }
    return best;
}
