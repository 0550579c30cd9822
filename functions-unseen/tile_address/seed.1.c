int tile_address(int x, int y, int tiles)
{
    int tile = (y >> 2) * tiles + (x >> 2);
    int inside = (y & 3) * 4 + (x & 3);
    return tile * 16 + inside * 2;
}
