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
    int side[4];
    side[0] = add_joint(joint, count, 0.0, 0.0);
    side[1] = add_joint(joint, count, 0.0, 10.0);
    side[2] = add_joint(joint, count, 10.0, 10.0);
    side[3] = add_joint(joint, count, 10.0, 0.0);
    int centre = add_joint(joint, count, 5.0, 5.0);
    for (int k = 0; k < 4; k++) {
        add_muscle(muscle, wave, count, side[k], side[(k + 1) % 4], 0.0, 0.0);
    }
    add_muscle(muscle, wave, count, side[3], centre, 0.0, 0.0);
    add_muscle(muscle, wave, count, side[0], centre, 5.0, 0.0);
    add_muscle(muscle, wave, count, side[1], centre, 10.0, 0.0);
    add_muscle(muscle, wave, count, side[2], centre, 2.0, 0.0);
}

/* EVOLVE-BLOCK-END */
