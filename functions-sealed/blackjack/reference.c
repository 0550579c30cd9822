int blackjack(int a, int b, int c)
{
    int total = (a > 10 ? 10 : a) + (b > 10 ? 10 : b) + (c > 10 ? 10 : c);
    if ((a == 1 || b == 1 || c == 1) && total + 10 <= 21) {
        return total + 10;
    }
    if (total > 21) {
        return 21 - total;
    }
    return total;
}
