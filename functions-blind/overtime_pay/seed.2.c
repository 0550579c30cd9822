double overtime_pay(int hours, double rate, int weekend)
{
    double pay = hours * rate;
    if (hours < 40) {
        pay += (hours - 40) * rate * 0.5;
    }
    if (hours > 50) {
        pay += (hours - 50) * rate * 0.5;
    }
    if (weekend) {
        pay += 1.25;
    }
    return pay;
}
