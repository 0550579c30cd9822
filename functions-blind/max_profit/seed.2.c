int max_profit(int price[8])
{
    int best = 0;
    int low = 0;
    for (int i = 1; i < 8; i++) {
        if (price[i] - low > best) {
            best = price[i] - low;
        }
        if (price[i] > low) {
            low = price[i];
        }
    }
    return best;
}
