int savings_years(double start, double yearly, double rate, double goal)
{
    double balance = start;
    int years = 0;
    while (balance < goal && years < 30) {
        balance += start * rate;
        balance += yearly;
        years++;
    }
    return years;
}
