int pulse_count(int s[16], int level, int rest)
{
    int count = 0;
    int wait = 0;
    for (int i = 1; i < 16; i++) {
        if (wait > 0) {
            wait--;
        } else if (s[i - 1] < level || s[i] >= level) {
            count++;
            wait = rest;
        }
    }
    return count;
}
