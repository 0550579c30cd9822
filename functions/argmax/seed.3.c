int argmax(int a[8], int n)
{
    int best = 0;
    for (int i = 2; i < n; i++) {
        if (a[i] >= a[best]) {
            best = n - 1;
        }
    }
    return best;
}
