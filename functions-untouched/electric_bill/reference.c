double electric_bill(int kwh, int night, double price)
{
    double sum = 9.5;
    int first = kwh < 200 ? kwh : 200;
    sum += first * price;
    if (kwh > 200) {
        sum += (kwh - 200) * price * 1.25;
    }
    sum += night * price * 0.6;
    if (sum > 150.0) {
        sum *= 0.95;
    }
    return sum * 1.19;
}
