#include <math.h>

/* one round: circles grow, and push each other and the walls where they overlap */
void relax(double c[26][3], double push_rate, double give, double growth)
{
    double move[26][3];
    for (int i = 0; i < 26; i++) {
        double r = c[i][2];
        double left = fmax(r - c[i][0], 0.0);
        double right = fmax(r + c[i][0] - 1.0, 0.0);
        double bottom = fmax(r - c[i][1], 0.0);
        double top = fmax(r + c[i][1] - 1.0, 0.0);
        move[i][0] = left - right;
        move[i][1] = bottom - top;
        move[i][2] = -left - right - bottom - top;
        for (int j = 0; j < i; j++) {
            double x = c[i][0] - c[j][0];
            double y = c[i][1] - c[j][1];
            double reach = r + c[j][2];
            double square = x * x + y * y;
            if (square < reach * reach) {
                double d = sqrt(square + 1e-06);
                double over = reach - d;
                double push = over / d;
                move[i][0] += push * x;
                move[i][1] += push * y;
                move[i][2] -= over;
                move[j][0] -= push * x;
                move[j][1] -= push * y;
                move[j][2] -= over;
            }
        }
    }
    for (int i = 0; i < 26; i++) {
        c[i][0] += push_rate * move[i][0];
        c[i][1] += push_rate * move[i][1];
        c[i][2] += give * move[i][2] + growth;
    }
}

/* EVOLVE-BLOCK-START */
void place(double c[26][3])
{
    for (int i = 0; i < 26; i++) {
        double turn = 2.4 * i + 0.1;
        double far = 0.08 * sqrt(i + 0.5);
        c[i][0] = 0.5 + far * cos(turn);
        c[i][1] = 0.5 + far * sin(turn);
        c[i][2] = 0.03;
    }
}

/* growth ends with the last round, so that the circles end without overlap */
void arrange(double c[26][3])
{
    double growth = 0.006;
    int rounds = 25;
    place(c);
    for (int k = 0; k < rounds; k++) {
        relax(c, 0.4, 0.2, growth - growth * k / rounds);
    }
}

/* EVOLVE-BLOCK-END */
double inside(double x)
{
    return x > 0.0 ? fmin(x, 1.0) : 0.0;
}

/* the radius that the walls and the other circles leave to circle i */
double room(double c[26][3], int i)
{
    double r = fmin(fmin(c[i][0], 1.0 - c[i][0]), fmin(c[i][1], 1.0 - c[i][1]));
    for (int j = 0; j < 26; j++) {
        if (j != i) {
            r = fmin(r, hypot(c[i][0] - c[j][0], c[i][1] - c[j][1]) - c[j][2]);
        }
    }
    return fmax(r - 1e-14, 0.0);
}

/* whatever was arranged becomes a packing: what overlaps shrinks, then each takes the room it has */
void circles(double c[26][3])
{
    arrange(c);
    for (int i = 0; i < 26; i++) {
        c[i][0] = inside(c[i][0]);
        c[i][1] = inside(c[i][1]);
        c[i][2] = inside(c[i][2]);
        for (int j = 0; j < i; j++) {
            double d = hypot(c[i][0] - c[j][0], c[i][1] - c[j][1]);
            double over = c[i][2] + c[j][2] - d + 3e-14;
            if (over > 0.0) {
                double part = fmin(fmax(0.5 * over, over - c[j][2]), c[i][2]);
                c[i][2] -= part;
                c[j][2] = fmax(c[j][2] - (over - part), 0.0);
            }
        }
    }
    for (int i = 0; i < 26; i++) {
        c[i][2] = room(c, i);
    }
}
