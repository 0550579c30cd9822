#include <stdlib.h>

int hex_distance(int a[2], int b[2])
{
    int q = b[0] - a[0];
    int r = b[1] - a[1];
    if (q * r > 0) {
        return q + r;
    }
    if (abs(q) > abs(r)) {
        return abs(r);
    }
    return abs(r);
}
