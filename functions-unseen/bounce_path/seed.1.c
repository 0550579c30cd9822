double bounce_path(double height, double rest)
{
    double path = height;
    double rise = height * rest * rest;
    while (rise > 0.01) {
        path += rise;
        rise *= rest * rest;
    }
    return path;
}
