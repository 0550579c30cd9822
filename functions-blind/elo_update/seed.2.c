double elo_update(double mine, double theirs, int games, int won)
{
    double expected = 1.0 / (1.0 + pow(10.0, (theirs - mine) / 400.0));
    double k = 20.0;
    if (games < 30) {
        k = 40.0;
    } else if (mine >= 1400.0) {
        k = 10.0;
    }
    return mine + k * (won / 2 - expected);
}
