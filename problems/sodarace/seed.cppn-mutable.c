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
int connect(int x1, int y1, int x2, int y2)
{
    return (x1 - x2) * (x1 - x2) + (y1 - y2) * (y1 - y2) <= 4.5;
}

double amplitude(int x1, int y1, int x2, int y2)
{
    return abs(x1 - x2) > abs(y1 - y2) ? abs(x1 - x2) : abs(y1 - y2);
}

double phase(int x1, int y1, int x2, int y2)
{
    return x1 % 2 == 1 ? x1 : -x1;
}

/* a grid of joints, and a muscle between each two that connect; as in the paper, not along x = y */
void query(double joint[48][2], int muscle[192][2], double wave[192][2], int count[2], int columns, int rows, double scale)
{
    int number[48][48];
    for (int x = 0; x < columns; x++) {
        for (int y = 0; y < rows; y++) {
            number[x][y] = add_joint(joint, count, x * scale, y * scale);
        }
    }
    for (int x1 = 0; x1 < columns; x1++) {
        for (int y1 = 0; y1 < rows; y1++) {
            for (int x2 = x1; x2 < columns; x2++) {
                for (int y2 = y1; y2 < rows; y2++) {
                    if (!(x1 == y1 && x2 == y2) && connect(x1, y1, x2, y2)) {
                        add_muscle(muscle, wave, count, number[x1][y1], number[x2][y2], amplitude(x1, y1, x2, y2), phase(x1, y1, x2, y2));
                    }
                }
            }
        }
    }
}

void walker(double joint[48][2], int muscle[192][2], double wave[192][2], int count[2])
{
    query(joint, muscle, wave, count, 8, 3, 1.5);
}

/* EVOLVE-BLOCK-END */
