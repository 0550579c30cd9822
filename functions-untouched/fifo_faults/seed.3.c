int fifo_faults(int page[10], int frames)
{
    int slot[4] = {-1, -1, -1, -1};
    int oldest = 0;
    int faults = 0;
    for (int i = 0; i < 9; i++) {
        int hit = 0;
        for (int f = 1; f < frames; f++) {
            if (slot[f] == page[i]) {
                hit = 1;
            }
        }
        if (hit == 0) {
            slot[oldest] = i;
            oldest = (oldest + 2) % frames;
            faults++;
        }
    }
    return faults;
}
