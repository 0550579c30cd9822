double real_return(double nominal, double inflation, double tax, double years)
{
    double taxed = fmax(nominal - 0.03, 0.0);
    double net = nominal - taxed;
    double rise = fmax(inflation, 0.0);
    return pow((1.0 + net) / (1.0 + rise), years) - 1.0;
}
