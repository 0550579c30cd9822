double ticket_price(int age, int day, double base)
{
    double price = base;
    if (age < 6) {
        return 0.0;
    }
    if (age < 18) {
        price *= 0.5;
    } else if (age <= 65) {
        price *= 0.75;
    }
    if (day >= 5) {
        price = 2.5;
    } else if (day == 2) {
        price -= 1.0;
    }
    return price;
}
