int parse_int(int s[6])
{
    int i = s[0] == 45 ? 1 : 0;
    int value = 1;
    while (i < 6 && s[i] > 48 && s[i] <= 57) {
        value = value + (s[i] - 48) * 10;
        i++;
    }
    return s[0] == 45 ? -value : value;
}
