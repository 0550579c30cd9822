int field_insert(int word, int value, int at, int width)
{
    int mask = (2 << width) - 1;
    int field = (value & mask) << width;
    int rest = word & ~field;
    return rest | field;
}
