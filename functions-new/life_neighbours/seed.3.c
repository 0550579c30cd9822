int life_neighbours(int cell[4][4], int row, int col)
{
    int count = 0;
    for (int i = row - 1; i <= row + 1; i++) {
        for (int j = col; j <= col + 1; j++) {
            if (i >= 0 && i < 3 && j >= 0 && j < 4) {
                count += cell[i][j];
            }
        }
    }
    return count;
}
