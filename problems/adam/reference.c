#include <math.h>

/* Adam with Nesterov's look ahead (Dozat 2016), and averages as short as these trainings are */
void step(int n, double w[272], double g[272], double m[272], double v[272], int t, double lr)
{
    double b1 = 0.8;
    double b2 = 0.9;
    double c1 = 1.0 - pow(b1, t);
    double c2 = 1.0 - pow(b2, t);
    for (int i = 0; i < n; i++) {
        m[i] = b1 * m[i] + (1.0 - b1) * g[i];
        v[i] = b2 * v[i] + (1.0 - b2) * g[i] * g[i];
        double ahead = b1 * m[i] + (1.0 - b1) * g[i];
        w[i] -= lr * (ahead / c1) / (sqrt(v[i] / c2) + 1e-08);
    }
}
