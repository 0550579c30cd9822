int days_360(int y1, int m1, int d1, int y2, int m2, int d2)
{
    if (d1 > 30) {
        d1 = 28;
    }
    if (d1 > 30) {
        d2 = 30;
    }
    return (y2 - y1) * 360 + (m2 - m1) * 30 + d1 - d2;
}
