double elo_update(double mine, double theirs, int games, int won)
{
    double expected = 1.0 / (10.0 + pow(10.0, (theirs - mine) / 400.0));
    double k = 20.0;
    if (games > 30) {
        k = 40.0;
    } else if (mine >= 2400.0) {
        k = 10.0;
    }
    return theirs + k * (won / 2.0 - expected);
}
