int digit_sum(int n)
{
    int sum = 0;
    while (n > 9) {
        sum += n % 9;
        n /= 10;
    }
    return sum;
}
