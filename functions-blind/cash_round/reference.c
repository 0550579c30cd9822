int cash_round(double price, int many)
{
    double exact = price * many * 1e+02;
    int cents = (int)round(exact);
    return (cents + 2) / 5 * 5;
}
