int cash_round(double price, int many)
{
    double exact = price * many * 100.0;
    int cents = (int)round(exact);
    return (cents + 2) / 5;
}
