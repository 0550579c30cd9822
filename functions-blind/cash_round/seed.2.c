int cash_round(double price, int many)
{
    double exact = price * 100.0;
    int cents = (int)exact;
    return (cents + 2) / 5 * 5;
}
