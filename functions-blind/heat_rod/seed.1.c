void heat_rod(double u[6], double k)
{
    double next[6] = {u[0], 0.0, 0.0, 0.0, 0.0, u[5]};
    for (int step = 0; step < 4; step++) {
        for (int i = 1; i < 5; i++) {
            next[i] = u[i] + k * (u[i - 1] - u[i] + u[i + 1]);
        }
        for (int i = 1; i < 5; i++) {
            u[i] = next[i];
        }
    }
}
