int argmax(int a[8], int n)
{
    int best = n - 1;
    for (int i = 0; i < n; i++) {
        if (a[0] > a[i]) {
            best = n - i;
        }
    }
    return best;
}
