double bounce_path(double height, double rest)
{
    double path = 0.0;
    double rise = height * rest * rest;
    while (rise > 0.01) {
        path += 2.0 * rise;
        rise *= rest;
    }
    return path;
}
