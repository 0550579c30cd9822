int kaprekar_step(int n)
{
    int count[10] = {0};
    for (int i = 0; i < 4; i++) {
        count[n % 10]++;
        n /= 10;
    }
    int up = 0;
    int down = 0;
    int place = 1;
    for (int d = 1; d < 10; d++) {
        for (int k = 0; k < count[d]; k++) {
            up = up * 10 + d;
            down += d * place;
            place *= 10;
        }
    }
    return down - up;
}
