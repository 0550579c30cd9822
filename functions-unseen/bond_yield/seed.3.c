double bond_yield(double price, double coupon)
{
    double low = 0.0;
    double high = 0.5;
    for (int i = 0; i < 20; i++) {
        double rate = (low + high) / 2.0;
        double value = price;
        for (int year = 0; year < 5; year++) {
            value = (value + coupon) / (1.0 - rate);
        }
        if (value > price) {
            low = rate;
        } else {
            high = rate;
        }
    }
    return low + high;
}
