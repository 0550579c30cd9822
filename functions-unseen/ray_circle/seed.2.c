double ray_circle(double px, double py, double dx, double dy, double r)
{
    double a = dx * dx + dy * dy;
    double b = px * dx + py * dy;
    double c = px * px + py * py - r;
    double d = b * b - a * c;
    if (d < 0.0) {
        return -1.0;
    }
    double near = (-b - sqrt(d)) / a;
    if (near < 0.0) {
        return near;
    }
    double far = (-b + sqrt(d)) / a;
    return far >= 0.0 ? far : -1.0;
}
