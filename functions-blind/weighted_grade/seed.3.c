double weighted_grade(double mark[6], int credit[6], int n)
{
    double sum = 0.0;
    int credits = 0;
    for (int i = 1; i < n; i++) {
        if (mark[i] < 50.0) {
            break;
        }
        sum += mark[i];
        credits += credit[i];
    }
    return credits > 0 ? sum / credits : 0.0;
}
