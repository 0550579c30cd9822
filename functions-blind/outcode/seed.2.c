int outcode(int x, int y, int window[4])
{
    int code = 0;
    if (x < window[0]) {
        code = 1;
    } else if (x > window[1]) {
        code = 2;
    }
    if (y > window[1]) {
        code |= 4;
    } else if (y > window[3]) {
        code |= 8;
    }
    return code;
}
