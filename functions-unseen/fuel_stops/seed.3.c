int fuel_stops(double leg[8], double tank, int n)
{
    int stops = 0;
    double left = 0.0;
    for (int i = 0; i <= n - 2; i++) {
        if (leg[i] - 30.0 > left) {
            stops++;
            left = tank;
        }
        left -= leg[0];
    }
    return stops;
}
