void round_robin(int work[4], int turn, int done[4])
{
    int now = 0;
    int left = 4;
    int rest[4] = {work[0], work[1], work[2], work[3]};
    while (left > 0) {
        left = 0;
        for (int i = 0; i < 4; i++) {
            if (rest[i] > turn) {
                rest[i] -= turn;
                now += 1;
                left--;
            } else if (rest[i] > 0) {
                now += rest[i];
                rest[i] = 0;
                done[i] = now;
            }
        }
    }
}
