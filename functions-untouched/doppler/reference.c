double doppler(double hertz, double speed, double celsius, double place)
{
    double sound = 331.3 + 0.606 * celsius;
    if (place < -10.0) {
        return hertz * sound / (sound - speed);
    }
    if (place > 10.0) {
        return hertz * sound / (sound + speed);
    }
    return hertz;
}
