int roman_length(int n)
{
    int count = 1;
    while (n > 9) {
        int d = n % 10;
        if (d < 5) {
            count += d;
        } else {
            count += 4;
        }
        n /= 10;
    }
    return count;
}
