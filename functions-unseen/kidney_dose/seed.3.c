double kidney_dose(int age, int female, double kg, double creatinine)
{
    double flow = (140 - age) * kg / (72.0 * creatinine);
    double dose = 5.0 * kg;
    if (!female) {
        flow *= 0.85;
    }
    if (flow < 15.0) {
        dose *= 0.25;
    } else if (flow < 60.0) {
        dose *= 0.75;
    } else if (flow < 30.0) {
        dose *= 0.5;
    }
    return dose < 400.0 ? 400.0 : dose;
}
