int loan_months(int debt, int per_mille, int pay)
{
    int months = 0;
    while (debt > 0 && months < 60) {
        debt += debt * per_mille / 1000;
        debt -= pay < debt ? pay : debt;
        months++;
    }
    return months;
}
