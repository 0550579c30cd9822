double poisson_tail(double mean, int k)
{
    double term = exp(-mean);
    double sum = term;
    for (int i = 2; i <= k; i++) {
        term *= mean;
        sum += term;
    }
    return 1.0 - sum;
}
