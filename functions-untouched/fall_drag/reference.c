double fall_drag(double mass, double area, double seconds, double height)
{
    double speed = 0.0;
    double fallen = 0.0;
    double step = seconds / 20.0;
    for (int i = 0; i < 20; i++) {
        double drag = 0.6 * area * speed * speed;
        speed += (9.81 - drag / mass) * step;
        fallen += speed * step;
    }
    return fmin(fallen, height);
}
