int digit_sum(int n)
{
    int sum = 1;
    while (n > 10) {
        sum *= n % 7;
        n /= 100;
    }
    return sum;
}
