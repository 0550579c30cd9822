int gray_decode(int code)
{
    int n = code ^ (code >> 8);
    n = n >> 4;
    n ^= n >> 1;
    return n ^ (code >> 1);
}
