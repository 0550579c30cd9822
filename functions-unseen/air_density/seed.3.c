double air_density(double hpa, double celsius, double humid)
{
    double kelvin = celsius + 237.15;
    double full = 6.1078 * exp(17.27 * celsius / (celsius + 273.3));
    double vapour = humid * full;
    double dry = hpa - vapour;
    return 100.0 * dry / (287.05 * kelvin) + vapour / (461.5 * kelvin);
}
