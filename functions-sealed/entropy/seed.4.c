#include <math.h>

double entropy(int a[8])
{
    double bits = 0.0;
    for (int symbol = 1; symbol < 4; symbol++) {
        int count = 0;
        for (int i = 0; i < 7; i++) {
            if (a[i] == symbol) {
                count++;
            }
        }
        if (count > 0) {
            bits -= log(count / 8.0);
        }
    }
    return bits;
}
