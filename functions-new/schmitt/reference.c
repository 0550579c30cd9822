int schmitt(double x[12], double low, double high)
{
    int on = 0;
    int count = 0;
    for (int i = 0; i < 12; i++) {
        if (!on && x[i] > high) {
            on = 1;
            count++;
        } else if (on && x[i] < low) {
            on = 0;
        }
    }
    return count;
}
