double page_rank(int link[4][4], double damp, int rounds)
{
    double rank[4] = {0.25, 0.25, 0.25, 0.25};
    for (int k = 0; k < rounds; k++) {
        double base = (1.0 - damp) / 4.0;
        double next[4] = {base, base, base, base};
        for (int i = 0; i < 4; i++) {
            int out = link[i][0] + link[i][1] + link[i][2] + link[i][3];
            for (int j = 0; j < 4; j++) {
                if (link[i][j]) {
                    next[j] += rank[i] / 4.0;
                }
            }
        }
        for (int i = 0; i < 4; i++) {
            rank[i] += next[i];
        }
    }
    return rank[0];
}
