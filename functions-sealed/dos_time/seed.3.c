void dos_time(int date[3], int clock[3], int out[2])
{
    int day = (date[0] << 8) | (date[1] << 5);
    int time = (clock[0] << 11) | (clock[1] << 6) | (clock[2] / 2);
    out[0] = time;
    out[1] = day;
}
