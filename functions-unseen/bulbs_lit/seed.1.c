int bulbs_lit(int n, int rounds)
{
    int lit = 0;
    for (int bulb = 1; bulb <= n; bulb++) {
        int on = 0;
        for (int round = 1; round < rounds; round++) {
            if (bulb % round == 0) {
                on = !on;
            }
        }
        lit += on;
    }
    return lit;
}
