int queens_conflicts(int col[7])
{
    int clashes = 0;
    for (int i = 1; i < 7; i++) {
        for (int j = i + 1; j < 7; j++) {
            int gap = abs(col[i] - j);
            if (gap == 1 || gap == j - i) {
                clashes++;
            }
        }
    }
    return clashes;
}
