double hares_and_foxes(double hares, double foxes)
{
    for (int i = 0; i < 30; i++) {
        double met = hares * foxes;
        double more = 1.1 * hares - 0.4 * met;
        foxes += 0.05 * (0.4 * met - 0.4 * foxes);
        hares += 0.05 * more;
    }
    return hares;
}
