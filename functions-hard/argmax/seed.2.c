int argmax(int a[8], int n)
{
    int best = 0;
    for (int i = 0; i < n - 1; i++) {
        best = i;
        if (a[i] < a[0]) {
            return best;
        }
    }
    return n;
}
