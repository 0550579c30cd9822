int shipping_cost(int weight, int zone, int express)
{
    int cost = 7;
    if (weight > 20) {
        cost += 15 + (weight - 20) * 2;
    } else if (weight > 15) {
        cost += weight - 5;
    }
    if (zone < 2) {
        cost += 4 * (zone - 2);
    }
    if (express == 1) {
        cost = cost * 3 / 2;
    }
    return cost;
}
