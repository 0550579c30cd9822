int persistence(int n)
{
    int count = 0;
    while (n > 9) {
        int product = 1;
        while (n > 0) {
            product += n % 10;
            n /= 10;
        }
        n = product;
        count++;
    }
    return count * 10 + n;
}
