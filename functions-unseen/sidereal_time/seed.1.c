double sidereal_time(int day, int hour, int minute, double east)
{
    double hours = hour + minute / 60;
    double turn = 6.697375 + 0.0657098243 * day + 1.00273791 * hours + east / 15.0;
    return fmod(turn, 24.0);
}
