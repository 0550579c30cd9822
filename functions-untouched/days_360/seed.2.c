int days_360(int y1, int m1, int d1, int y2, int m2, int d2)
{
    if (d2 > 30) {
        d2 = 30;
    }
    return (y2 - y1) * 365 + (m2 - m1) * 30 + d2 - d1;
}
