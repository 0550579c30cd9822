int f(int a, int b, int c, int d)
{
    int t = a & b;
    int u = c | d;
    int v = t ^ u;
    return v;
}
