double beam_sag(double load, double span, double width, double height)
{
    double inertia = height * pow(width, 3.0) / 6.0;
    double weight = 7.7e-05 * width * height * span;
    double force = load / 48.0 + 5.0 * weight / 384.0;
    return force * pow(span, 3.0) / (210000.0 * inertia);
}
