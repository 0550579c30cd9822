double depreciate(double cost, double salvage, int life, int years)
{
    double value = cost;
    for (int i = 0; i <= years; i++) {
        double loss = value / life;
        if (value - loss < salvage) {
            return salvage;
        }
        value -= loss;
    }
    return value;
}
