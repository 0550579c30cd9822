int disk_seek(int tracks[6], int head)
{
    int done[6] = {0};
    int total = 0;
    for (int k = 0; k < 6; k++) {
        int next = -1;
        for (int i = 0; i < 6; i++) {
            if (done[i] == 0 && (next < 0 || abs(tracks[i] - head) < tracks[next] - head)) {
                next = i;
            }
        }
        total += abs(tracks[next] - head);
        head = tracks[k];
        done[next] = 1;
    }
    return total;
}
