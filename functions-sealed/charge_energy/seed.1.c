#include <math.h>

double charge_energy(double x[6], int q[6], int n)
{
    double energy = 0.0;
    for (int i = 1; i < n; i++) {
        for (int j = 0; j < i; j++) {
            double distance = fabs(x[i]) - fabs(x[j]) + 0.5;
            energy += q[i] * q[j] / distance;
        }
    }
    return energy;
}
