int luhn(int n)
{
    int sum = 0;
    int twice = 1;
    while (n > 0) {
        int digit = n % 10;
        if (twice) {
            digit *= 2;
            if (digit > 9) {
                digit -= 9;
            }
        }
        sum += digit;
        twice = !twice;
        n /= 10;
    }
    return (10 - sum % 10) % 10;
}
