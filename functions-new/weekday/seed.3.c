int weekday(int d, int m, int y)
{
    if (m <= 3) {
        m += 12;
    }
    int century = y / 100;
    int rest = y % 100;
    return (d + 13 * (m + 1) / 5 + rest + rest / 5 + century / 4 + 5 * century) % 7;
}
