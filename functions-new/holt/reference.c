double holt(double x[6], double alpha, double beta)
{
    double level = x[0];
    double trend = x[1] - x[0];
    for (int i = 1; i < 6; i++) {
        double last = level;
        level = alpha * x[i] + (1.0 - alpha) * (level + trend);
        trend = beta * (level - last) + (1.0 - beta) * trend;
    }
    return level + trend;
}
