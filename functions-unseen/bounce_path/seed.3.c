double bounce_path(double height, double rest)
{
    double path = height;
    double rise = height * rest;
    while (rise > 0.1) {
        rise *= rest * rest;
        path += 2.0 * rise;
    }
    return path;
}
