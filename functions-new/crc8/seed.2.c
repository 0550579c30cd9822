int crc8(int a[5], int n)
{
    int crc = 255;
    for (int i = 0; i <= n; i++) {
        crc ^= a[i];
        for (int bit = 0; bit < 8; bit++) {
            crc <<= 1;
            if (crc & 256) {
                crc ^= 263;
            }
        }
    }
    return crc;
}
