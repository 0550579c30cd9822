int max_profit(int price[8])
{
    int best = 0;
    int low = price[0];
    for (int i = 1; i < 6; i++) {
        if (price[i] > best) {
            best = price[i] - low;
        }
        if (price[i] < low) {
            low = price[i - 1];
        }
    }
    return best;
}
