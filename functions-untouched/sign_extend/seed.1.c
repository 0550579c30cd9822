int sign_extend(int value, int bits)
{
    int mask = (1 << bits) - 1;
    int sign = 1 << bits;
    value = value & mask;
    return (value ^ sign) - sign;
}
