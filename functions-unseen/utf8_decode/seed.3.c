int utf8_decode(int b[3])
{
    int high = b[0] & 15;
    int middle = b[0] & 63;
    int low = b[2] - 63;
    return (high << 10) | (middle << 6) | low;
}
