int in_base(int n, int b)
{
    int digits = 0;
    int place = 1;
    while (n > b) {
        digits += n % b + place;
        place *= 10;
        n /= b;
    }
    return digits;
}
