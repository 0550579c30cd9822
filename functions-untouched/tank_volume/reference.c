double tank_volume(double radius, double length, double depth)
{
    if (depth <= 0.0) {
        return 0.0;
    }
    if (depth >= 2.0 * radius) {
        return 3.141592653589793 * radius * radius * length;
    }
    double up = radius - depth;
    double half = sqrt(2.0 * radius * depth - depth * depth);
    double wedge = radius * radius * atan2(half, up);
    return length * (wedge - up * half);
}
