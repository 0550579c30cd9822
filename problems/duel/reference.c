/* the cells that can be reached from x, y */
int reach(int board[14][14], int x, int y)
{
    int seen[14][14] = {{0}};
    int queue[200];
    int head = 0;
    int tail = 1;
    queue[0] = y * 14 + x;
    seen[y][x] = 1;
    while (head < tail) {
        int c = queue[head];
        head++;
        for (int d = 0; d < 4; d++) {
            int i = c / 14 + (d == 0 ? -1 : d == 2 ? 1 : 0);
            int j = c % 14 + (d == 1 ? 1 : d == 3 ? -1 : 0);
            if (board[i][j] == 0 && seen[i][j] == 0) {
                seen[i][j] = 1;
                queue[tail] = i * 14 + j;
                tail++;
            }
        }
    }
    return tail;
}

/* to the largest room; among equals towards the other, along what is taken */
int ride(int x, int y, int other_x, int other_y, int board[14][14], int memory[8])
{
    int best = -1000000;
    int choice = 0;
    for (int d = 0; d < 4; d++) {
        int i = y + (d == 0 ? -1 : d == 2 ? 1 : 0);
        int j = x + (d == 1 ? 1 : d == 3 ? -1 : 0);
        if (board[i][j] == 0) {
            int far = abs(i - other_y) + abs(j - other_x);
            int taken = board[i - 1][j] + board[i + 1][j] + board[i][j - 1] + board[i][j + 1];
            int w = reach(board, j, i) * 100 - far * 4 + taken;
            if (w > best) {
                best = w;
                choice = d;
            }
        }
    }
    return choice;
}
