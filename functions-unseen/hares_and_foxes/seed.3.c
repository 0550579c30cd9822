double hares_and_foxes(double hares, double foxes)
{
    for (int i = 0; i < 29; i++) {
        double met = hares * foxes;
        double more = 1.1 * foxes - 0.4 * met;
        foxes += 0.05 * (0.1 * met);
        hares += 0.05 * more;
    }
    return hares;
}
