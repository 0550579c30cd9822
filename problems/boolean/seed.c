/* gates to spare: steps that change nothing need room */
int f(int a, int b, int c, int d)
{
    int t0 = a & b;
    int t1 = c ^ d;
    int t2 = ~a | c;
    int t3 = b ^ t0;
    int t4 = t1 & t2;
    int t5 = d | t3;
    int t6 = t4 ^ ~t3;
    int t7 = t5 & t1;
    int t8 = t6 | a;
    int t9 = t7 ^ t2;
    return t8 & t9;
}
