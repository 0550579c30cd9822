double wheel_turns(int width, int ratio, int rim, double km)
{
    double wall = width * ratio / 100.0;
    double across = 25.4 * rim + wall;
    double lap = 3.14159265 * across / 1000.0;
    return km * 1000.0 / lap;
}
