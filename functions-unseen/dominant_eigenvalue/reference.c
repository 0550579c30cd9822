double dominant_eigenvalue(double m[3][3])
{
    double v[3] = {1.0, 1.0, 1.0};
    double size = 1.0;
    for (int k = 0; k < 6; k++) {
        double w[3] = {0.0, 0.0, 0.0};
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                w[i] += m[i][j] * v[j];
            }
        }
        size = fmax(fmax(w[0], w[1]), w[2]);
        for (int i = 0; i < 3; i++) {
            v[i] = w[i] / size;
        }
    }
    return size;
}
