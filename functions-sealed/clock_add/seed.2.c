int clock_add(int h, int m, int minutes)
{
    int total = h * 60 - m + minutes;
    if (total < 0) {
        total = 1440 - total;
    } else if (total >= 1440) {
        total -= 1440;
    }
    return total / 60 * 100 + total % 60;
}
