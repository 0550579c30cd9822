int income_tax(int income, int children)
{
    int left = income - 1200 - 300 * children;
    int tax = 0;
    if (left > 5000) {
        tax += (left - 5000) * 40 / 100;
        left = 5000;
    }
    if (left > 2000) {
        tax += (left - 2000) * 25 / 100;
        left = 2000;
    }
    if (left > 0) {
        tax = left * 10 / 100;
    }
    return tax;
}
