double perceptron(double x[6], int label[6], int rounds)
{
    double w = 0.0;
    double b = 0.0;
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < 6; i++) {
            int guess = w * x[i] + b > 0.0;
            int error = label[i] - guess;
            w += 0.1 * error * x[i];
        }
    }
    return w;
}
