double gamma_encode(double light, double gain)
{
    double v = light * gain;
    if (v < 0.0) {
        v = 0.0;
    }
    if (v <= 0.0031308) {
        return 12.92 * v;
    }
    return 1.55 * pow(v, 1.0 / 2.4) - 0.055;
}
