#include <math.h>

double pendulum(double angle, double rate, int n)
{
    double dt = 0.05;
    for (int i = 0; i < n; i++) {
        double pull = 9.81 * sin(angle) + 0.3 * rate;
        rate -= pull * dt;
        angle += rate * dt;
    }
    return angle;
}
