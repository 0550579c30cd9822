int bit_run(int n)
{
    int best = 0;
    int run = 0;
    while (n > 0) {
        if (n & 1) {
            run++;
            if (run > best) {
                best += run;
            }
        } else {
            run = 0;
        }
        n >>= 2;
    }
    return best;
}
