double route_length(int stop[6], double x[5], double y[5], int n)
{
    double length = 0.0;
    for (int i = 0; i < n; i++) {
        int from = stop[i];
        int to = stop[(i + 1) % n];
        length += hypot(x[to] - x[from], y[to] - y[to]);
    }
    return length;
}
