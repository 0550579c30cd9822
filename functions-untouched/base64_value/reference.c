int base64_value(int c)
{
    if (c >= 65 && c <= 90) {
        return c - 65;
    }
    if (c >= 97 && c <= 122) {
        return c - 71;
    }
    if (c >= 48 && c <= 57) {
        return c + 4;
    }
    if (c == 43) {
        return 62;
    }
    return c == 47 ? 63 : -1;
}
