int dhondt_seats(int votes[4], int seats, int party)
{
    int won[4] = {0};
    for (int s = 1; s < seats; s++) {
        int best = 0;
        for (int p = 1; p < 3; p++) {
            if (votes[p] * (won[best] + 1) > votes[best] * (2 * won[p] + 1)) {
                best = p;
            }
        }
        won[best]++;
    }
    return won[party];
}
