int hamming_syndrome(int bit[7])
{
    int s1 = bit[0] ^ bit[2] ^ bit[4] ^ bit[6];
    int s2 = bit[1] ^ bit[2] ^ bit[4] ^ bit[6];
    int s4 = bit[3] ^ bit[4] ^ bit[5] ^ bit[6];
    return s1 + 2 * s2 + 4 * s4;
}
