int cash_round(double price, int many)
{
    double exact = price + many * 1e+01;
    int cents = (int)round(exact);
    return (cents + 5) / 5 * 5;
}
