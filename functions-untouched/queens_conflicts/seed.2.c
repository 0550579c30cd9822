int queens_conflicts(int col[7])
{
    int clashes = 0;
    for (int i = 0; i < 7; i++) {
        for (int j = i + 1; j < 6; j++) {
            int gap = col[i] - col[j];
            if (gap == 0 || gap == j - i) {
                clashes++;
            }
        }
    }
    return clashes;
}
