int chess_move(int piece, int dx, int dy)
{
    int x = abs(dx);
    int y = abs(dy);
    if (x + y == 0) {
        return 0;
    }
    if (piece == 0) {
        return x == 0 || y == 0;
    }
    if (piece == 1) {
        return x == y;
    }
    if (piece == 2) {
        return x * y == 2;
    }
    if (piece == 3) {
        return x <= 1 || y <= 1;
    }
    return x == 0 || y == 0;
}
