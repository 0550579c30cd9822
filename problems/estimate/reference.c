/* the median */
double estimate(double r[9])
{
    for (int i = 0; i < 9; i++) {
        for (int j = i; j > 0; j--) {
            if (r[j] < r[j - 1]) {
                double t = r[j];
                r[j] = r[j - 1];
                r[j - 1] = t;
            }
        }
    }
    return r[4];
}
