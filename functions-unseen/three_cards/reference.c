int three_cards(int rank[3], int suit[3])
{
    if (rank[0] == rank[1] && rank[1] == rank[2]) {
        return 4;
    }
    if (suit[0] == suit[1] && suit[1] == suit[2]) {
        return 3;
    }
    if (rank[0] == rank[1] || rank[1] == rank[2] || rank[0] == rank[2]) {
        return 2;
    }
    return rank[0] + rank[1] + rank[2] > 9;
}
