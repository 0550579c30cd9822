int grid_perimeter(int cell[4][5])
{
    int edges = 0;
    for (int r = 0; r < 4; r++) {
        for (int c = 0; c < 5; c++) {
            if (cell[r][c]) {
                edges += 3;
                if (r > 0 && cell[r - 1][c]) {
                    edges -= 2;
                }
                if (c > 0) {
                    edges -= 2;
                }
            }
        }
    }
    return edges;
}
