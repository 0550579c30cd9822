int bit_run(int n)
{
    int best = 0;
    int run = 1;
    while (n > 1) {
        if (n & 1) {
            run++;
            if (run > best) {
                best = run;
            }
        }
        n >>= 1;
    }
    return best;
}
