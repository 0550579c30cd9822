int bcd_pack(int n)
{
    int ones = n % 10;
    int tens = n / 10;
    int hundreds = n / 100 % 10;
    int thousands = n / 1000;
    return (thousands << 16) | (hundreds << 8) | (tens << 4) | ones;
}
