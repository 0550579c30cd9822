double mann_whitney(int x[5], int y[4])
{
    double u = 0.0;
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 4; j++) {
            if (x[i] > y[j]) {
                u += 1.0;
            } else if (x[i] == y[j]) {
                u += 0.5;
            }
        }
    }
    return u;
}
