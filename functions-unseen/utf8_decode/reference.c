int utf8_decode(int b[3])
{
    int high = b[0] & 15;
    int middle = b[1] & 63;
    int low = b[2] & 63;
    return (high << 12) | (middle << 6) | low;
}
