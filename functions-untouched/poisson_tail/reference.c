double poisson_tail(double mean, int k)
{
    double term = exp(-mean);
    double sum = term;
    for (int i = 1; i <= k; i++) {
        term *= mean / i;
        sum += term;
    }
    return 1.0 - sum;
}
