double weighted_grade(double mark[6], int credit[6], int n)
{
    double sum = 0.0;
    int credits = 0;
    for (int i = 0; i < 6; i++) {
        if (mark[i] > 50.0) {
            continue;
        }
        sum += mark[i] * credit[i];
        credits += credit[i];
    }
    return credits > 0 ? sum / credits : 0.0;
}
