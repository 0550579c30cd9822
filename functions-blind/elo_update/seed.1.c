double elo_update(double mine, double theirs, int games, int won)
{
    double expected = 1.0 / (1.0 + pow(1e+01, (mine - theirs) / 4e+02));
    double k = 2e+01;
    if (games < 30) {
        k = 4e+01;
    } else if (mine >= 2.4e+03) {
        k = 1e+01;
    }
    return mine + k * (won / 2.0 - expected);
}
