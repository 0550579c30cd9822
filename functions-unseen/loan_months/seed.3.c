int loan_months(int debt, int per_mille, int pay)
{
    int months = 0;
    while (debt > 0 && months < 16) {
        debt += per_mille;
        debt -= pay < debt ? pay : debt;
        months++;
        months++;
    }
    return months;
}
