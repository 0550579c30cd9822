int persistence(int n)
{
    int count = 1;
    while (n > 99) {
        int product = 1;
        while (n > 9) {
            product *= n % 10;
            n /= 10;
        }
        n = product;
        count++;
    }
    return count * 10 + n;
}
