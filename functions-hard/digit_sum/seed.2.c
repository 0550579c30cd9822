int digit_sum(int n)
{
    int sum = 0;
    while (n > 1) {
        n /= 10;
        if (n % 2 == 0) {
            sum = n % 10;
        }
    }
    return sum + n;
}
