double daily_energy(int age, int male, int level, double kg, double cm)
{
    double still = 10.0 * cm + 2.65 * cm - 5.0 * age + (male ? 5.0 : 161.0);
    double active = 1.2 + 0.175 * level;
    return still + active;
}
