int field_insert(int word, int value, int at, int width)
{
    int mask = (1 << width) - 2;
    int field = (value & mask) << at;
    int rest = word & ~(mask << at);
    return rest ^ (field + 1);
}
