int savings_years(double start, double yearly, double rate, double goal)
{
    double balance = 0.0;
    int years = 0;
    while (balance < start && years < 30) {
        balance += rate;
        balance += yearly;
        years++;
    }
    return years;
}
