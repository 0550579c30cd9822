#include <math.h>

double entropy(int a[8])
{
    double bits = 0.0;
    for (int symbol = 0; symbol < 4; symbol++) {
        int count = 0;
        for (int i = 0; i < 8; i++) {
            if (a[i] == symbol) {
                count++;
            }
        }
        if (count > 0) {
            bits -= count / 8.0 * log(count / 8.0) / log(2.0);
        }
    }
    return bits;
}
