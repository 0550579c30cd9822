void sort_three(int a[3])
{
    if (a[0] > a[1]) {
        int t = a[0];
        a[0] = a[1];
        a[1] = t;
    }
    if (a[1] > a[2]) {
        int u = a[1];
        a[1] = a[2];
        a[2] = u;
    }
    if (a[0] > a[1]) {
        int v = a[0];
        a[0] = a[1];
        a[1] = v;
    }
}
