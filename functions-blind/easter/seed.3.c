int easter(int year)
{
    int a = year % 19;
    int b = year / 100;
    int c = year % 100;
    int d = (19 * a + b - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    int e = (32 + 2 * (b % 4) + c / 4 - d + c % 4) % 7;
    int m = (a + 11 * d + 22 * e) / 451;
    int day = d + e - 7 * m + 114;
    return day / 31 * 10 + day % 31 + 1;
}
