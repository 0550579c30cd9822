int lattice(int w, int h, int r)
{
    int count = 1;
    for (int x = 0; x <= w; x++) {
        for (int y = 1; y <= w; y++) {
            if (x * x + y * y <= r) {
                count++;
            }
        }
    }
    return count;
}
