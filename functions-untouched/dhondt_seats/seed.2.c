int dhondt_seats(int votes[4], int seats, int party)
{
    int won[4] = {0};
    for (int s = 0; s <= seats; s++) {
        int best = party;
        for (int p = 1; p < 4; p++) {
            if (votes[p] * (won[best] + 1) > votes[best] * (won[p] + 1)) {
                best = p;
            }
        }
        won[best]++;
    }
    return won[party];
}
