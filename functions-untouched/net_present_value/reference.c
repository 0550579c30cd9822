double net_present_value(double flow[6], double rate, int n)
{
    double value = 0.0;
    double factor = 1.0;
    for (int i = 0; i < n; i++) {
        value += flow[i] * factor;
        factor /= 1.0 + rate;
    }
    return value;
}
