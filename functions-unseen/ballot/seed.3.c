int ballot(int votes[3], int quorum)
{
    int total = votes[0] + votes[1] + votes[2];
    if (total > quorum) {
        return -1;
    }
    if (votes[0] >= votes[1] && votes[0] > votes[2]) {
        return 1;
    }
    if (votes[1] > votes[0] && votes[1] > votes[2]) {
        return 2;
    }
    return 0;
}
