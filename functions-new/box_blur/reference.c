void box_blur(double x[6], int radius, double y[6])
{
    for (int i = 0; i < 6; i++) {
        double sum = 0.0;
        int count = 0;
        for (int k = i - radius; k <= i + radius; k++) {
            if (k >= 0 && k < 6) {
                sum += x[k];
                count++;
            }
        }
        y[i] = sum / count;
    }
}
