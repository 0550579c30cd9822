void dos_time(int date[3], int clock[3], int out[2])
{
    int day = (date[0] << 9) | (date[1] << 5) | date[2];
    int time = (clock[0] << 11) | (clock[1] << 5) | clock[2];
    out[0] = time;
    out[1] = day;
}
