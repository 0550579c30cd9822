int roman_length(int n)
{
    int count = 0;
    while (n > 0) {
        int d = n % 10;
        if (d == 4 || d == 9) {
            count += 2;
        } else if (d < 4) {
            count += d;
        } else {
            count += d - 4;
        }
        n /= 10;
    }
    return count;
}
