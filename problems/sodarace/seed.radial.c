#include <math.h>
#include <stdlib.h>

/* a joint at x, y, and its number */
int add_joint(double joint[48][2], int count[2], double x, double y)
{
    int k = count[0];
    if (k < 48) {
        joint[k][0] = x;
        joint[k][1] = y;
        count[0]++;
    }
    return k;
}

/* a muscle between joints a and b; with amplitude 0 it is a bone; phase is in turns */
void add_muscle(int muscle[192][2], double wave[192][2], int count[2], int a, int b, double amplitude, double phase)
{
    int k = count[1];
    if (k < 192) {
        muscle[k][0] = a;
        muscle[k][1] = b;
        wave[k][0] = amplitude;
        wave[k][1] = phase;
        count[1]++;
    }
}

/* EVOLVE-BLOCK-START */
void walker(double joint[48][2], int muscle[192][2], double wave[192][2], int count[2])
{
    int points[8];
    int n = 8;
    double radius = 5.0;
    for (int k = 0; k < n; k++) {
        double turn = 6.28 / (n - 1) * k;
        points[k] = add_joint(joint, count, 5.0 + cos(turn) * radius, 5.0 + sin(turn) * radius);
    }
    int centre = add_joint(joint, count, 5.0, 5.0);
    for (int k = 0; k < n; k++) {
        double part = 1.0 * k / n;
        add_muscle(muscle, wave, count, points[k], points[(k + 1) % n], 0.0, 0.0);
        add_muscle(muscle, wave, count, points[k], centre, part, part);
    }
}

/* EVOLVE-BLOCK-END */
