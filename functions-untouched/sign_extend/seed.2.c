int sign_extend(int value, int bits)
{
    int mask = 1 << bits;
    int sign = 1 << (bits - 1);
    value = value & mask;
    return (value | sign) - sign;
}
