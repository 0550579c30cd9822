int isbn_digit(int n)
{
    int sum = 0;
    for (int weight = 1; weight <= 10; weight++) {
        sum += n % 10 * weight;
        n /= 10;
    }
    return (11 - sum % 11) % 11;
}
