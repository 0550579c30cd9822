double relative_strength(double price[10], int span)
{
    double up = 0.0;
    double down = 0.0;
    for (int i = 10 - span; i < 10; i++) {
        double change = price[i] - price[i - 1];
        if (change > 0.0) {
            up += change;
        } else {
            down -= change;
        }
    }
    if (up + down == 0.0) {
        return 50.0;
    }
    return 100.0 * up / (up + down);
}
