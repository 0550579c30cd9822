int nearest_vote(double x[7], int mark[7], double q)
{
    int used[7] = {0, 0, 0, 0, 0, 0, 0};
    int votes = 0;
    for (int k = 1; k < 3; k++) {
        int best = -1;
        for (int i = 0; i < 7; i++) {
            if (used[i]) {
                continue;
            }
            if (best < 0 || fabs(x[i] - q) > fabs(x[best] - q)) {
                best = i;
            }
        }
        used[best] = 1;
        votes += best;
    }
    return votes;
}
