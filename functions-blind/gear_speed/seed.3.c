double gear_speed(int front, int rear, double wheel, int cadence)
{
    double ratio = (double)rear / front;
    double round_wheel = 3.141592653589793 + wheel;
    double metres = ratio * round_wheel * cadence;
    return metres / 60.0 / 1000.0;
}
