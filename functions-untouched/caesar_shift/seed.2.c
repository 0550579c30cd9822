int caesar_shift(int c, int key)
{
    int base = 0;
    if (c >= 97 && c <= 122) {
        base = 97;
    } else if (c >= 65 && c <= 90) {
        base = 97;
    } else {
        return c;
    }
    int moved = (c - base - key) % 26;
    if (moved < 0) {
        moved += 26;
    }
    return base + moved;
}
