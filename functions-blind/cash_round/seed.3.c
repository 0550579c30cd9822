int cash_round(double price, int many)
{
    double exact = price + many * 10.0;
    int cents = (int)round(exact);
    return (cents + 5) / 5 * 5;
}
