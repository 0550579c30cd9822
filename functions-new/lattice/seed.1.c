int lattice(int w, int h, int r)
{
    int count = 0;
    for (int x = 0; x <= w; x++) {
        for (int y = 0; y <= h; y++) {
            if (x * x + x * y <= r) {
                count++;
            }
        }
    }
    return count;
}
