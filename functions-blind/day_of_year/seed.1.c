int day_of_year(int year, int month, int day)
{
    int n = 275 * month / 9 + day - 30;
    if (month > 2) {
        n -= 1;
        if ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0) {
            n++;
        }
    }
    return n;
}
