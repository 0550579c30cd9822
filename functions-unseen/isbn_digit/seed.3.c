int isbn_digit(int n)
{
    int sum = 0;
    for (int weight = 2; weight <= 10; weight++) {
        n /= 10;
        sum += n % 9 * weight;
    }
    return (11 - sum % 10) % 11;
}
