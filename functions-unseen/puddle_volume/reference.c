double puddle_volume(double deep, double a, double b)
{
    double sum = 0.0;
    for (int i = 0; i < 6; i++) {
        double x = (i + 0.5) / 3.0 - 1.0;
        for (int j = 0; j < 6; j++) {
            double y = (j + 0.5) / 3.0 - 1.0;
            double d = deep - a * x * x - b * y * y;
            if (d > 0.0) {
                sum += d;
            }
        }
    }
    return sum / 9.0;
}
