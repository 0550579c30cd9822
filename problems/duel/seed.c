#include <stdlib.h>

/* free cells among the four around */
int room(int board[14][14], int x, int y)
{
    return (board[y - 1][x] == 0) + (board[y][x + 1] == 0) + (board[y + 1][x] == 0) + (board[y][x - 1] == 0);
}

/* free cells straight ahead */
int way(int board[14][14], int x, int y, int by_x, int by_y)
{
    int n = 0;
    while (board[y + by_y][x + by_x] == 0) {
        x += by_x;
        y += by_y;
        n++;
    }
    return n;
}

/* EVOLVE-BLOCK-START */
/* how good it is to go on from x, y in that direction; nothing counts as yet */
int worth(int board[14][14], int x, int y, int by_x, int by_y, int other_x, int other_y)
{
    int far = abs(x - other_x) + abs(y - other_y);
    return 0 * room(board, x, y) + 0 * way(board, x, y, by_x, by_y) + 0 * far;
}

/* 0..3 are up, right, down, left; the first of the best */
int ride(int x, int y, int other_x, int other_y, int board[14][14], int memory[8])
{
    int best = -1000000;
    int choice = 0;
    for (int d = 0; d < 4; d++) {
        int by_x = d == 1 ? 1 : d == 3 ? -1 : 0;
        int by_y = d == 0 ? -1 : d == 2 ? 1 : 0;
        if (board[y + by_y][x + by_x] == 0) {
            int w = worth(board, x + by_x, y + by_y, by_x, by_y, other_x, other_y);
            if (w > best) {
                best = w;
                choice = d;
            }
        }
    }
    return choice;
}

/* EVOLVE-BLOCK-END */
