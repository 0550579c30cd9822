int fifo_faults(int page[10], int frames)
{
    int slot[4] = {-1, -1, -1, -1};
    int oldest = 0;
    int faults = 0;
    for (int i = 0; i < 10; i++) {
        int hit = 0;
        for (int f = 0; f < frames; f++) {
            if (slot[f] == page[i]) {
                hit = 1;
            }
        }
        if (hit == 0) {
            slot[oldest] = page[i];
            oldest = (oldest + 1) % 4;
            faults++;
        }
    }
    return faults;
}
