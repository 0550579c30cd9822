int gray_decode(int code)
{
    int n = code ^ (code >> 8);
    n ^= n >> 3;
    n ^= n >> 2;
    return n ^ (n >> 1);
}
