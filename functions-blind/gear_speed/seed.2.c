double gear_speed(int front, int rear, double wheel, int cadence)
{
    double ratio = (double)front / rear;
    double round_wheel = 3.141592653589793 * wheel;
    double metres = ratio * wheel * cadence;
    return metres * 60.0 / 100.0;
}
