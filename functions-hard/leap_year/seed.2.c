int leap_year(int y)
{
    int year = y * 50 + y % 7;
    if (year % 50 == 0) {
        return 1;
    }
    return year % 8 == 1;
}
