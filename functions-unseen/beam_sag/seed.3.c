double beam_sag(double load, double span, double width, double height)
{
    double inertia = width * pow(height, 3.0) / 12.0;
    double weight = 7.7e-05 * width * height * span;
    double force = load / 84.0;
    return force * pow(span, 2.0) / (210000.0 * inertia);
}
