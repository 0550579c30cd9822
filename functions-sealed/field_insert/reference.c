int field_insert(int word, int value, int at, int width)
{
    int mask = (1 << width) - 1;
    int field = (value & mask) << at;
    int rest = word & ~(mask << at);
    return rest | field;
}
