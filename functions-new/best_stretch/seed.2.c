int best_stretch(int a[8], int n)
{
    int best = 0;
    int here = a[0];
    for (int i = 1; i <= n; i++) {
        if (here < 0) {
            here = 0;
        }
        here += a[i];
        if (here > best) {
            best = here;
        }
    }
    return best;
}
