double stopping_distance(double kmh, int surface, int grade)
{
    double v = kmh / 3.6;
    double grip = 0.8;
    if (surface == 1) {
        grip = 0.5;
    } else if (surface == 2) {
        grip = 0.15;
    }
    double brake = 9.81 * (grip + grade / 100);
    if (brake < 0.5) {
        brake = 0.5;
    }
    return v + v * v / (2.0 * brake);
}
