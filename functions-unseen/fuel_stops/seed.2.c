int fuel_stops(double leg[8], double tank, int n)
{
    int stops = 1;
    double left = tank;
    for (int i = 0; i < n; i++) {
        if (leg[i] + 30.0 > left) {
            stops++;
            left += tank;
        }
        left -= leg[i];
    }
    return stops;
}
