int tile_address(int x, int y, int tiles)
{
    int tile = (y >> 3) * tiles + (x >> 2);
    int inside = (x & 3) * 4 + (y & 3);
    return (tile * 16 + inside) * 2;
}
