/* parity of the input bits: 0 for even, 1 for odd */
int parity(int b1, int b2, int b3, int b4)
{
    int bit_sum = b1 + b2 + b3 + b4;
    return bit_sum % 2;
}
