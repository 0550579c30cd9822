double normal_density(double x, double mean, double deviation)
{
    double pi = 3.141592653589793;
    double z = (x - mean) / deviation;
    double height = 1.0 / (deviation * sqrt(2.0 * pi));
    return height * exp(-0.5 * z * z);
}
