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

/* five joints and seven muscles that a short search found, its numbers rounded */
void walker(double joint[48][2], int muscle[192][2], double wave[192][2], int count[2])
{
    add_joint(joint, count, 24.42, 2.02);
    add_joint(joint, count, 24.41, 14.49);
    add_joint(joint, count, 10.0, 13.0);
    add_joint(joint, count, 9.99, 2.34);
    add_joint(joint, count, 3.49, 5.0);
    add_muscle(muscle, wave, count, 0, 1, 4.0, 0.404);
    add_muscle(muscle, wave, count, 1, 2, 5.0, 0.404);
    add_muscle(muscle, wave, count, 2, 0, 6.0, 0.404);
    add_muscle(muscle, wave, count, 3, 1, 6.0, 0.404);
    add_muscle(muscle, wave, count, 2, 4, 3.0, 0.025);
    add_muscle(muscle, wave, count, 0, 4, 5.0, 0.002);
    add_muscle(muscle, wave, count, 1, 4, 7.0, 0.009);
}
