/* parity of the input bits: 0 for even, 1 for odd */
int parity(int b1, int b2, int b3, int b4)
{
    int c1 = 0;
    int c2 = 0;
    int c3 = 0;
    int c4 = 0;
    int bit_sum = c1 + c2 + c3 + c4;
    return bit_sum % 2;
}
