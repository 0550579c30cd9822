int alarm_wait(int hour, int minute, int alarm_hour, int alarm_minute)
{
    int now = hour * 100 + minute;
    int then = alarm_hour * 60 + alarm_minute;
    int wait = then - now;
    if (then <= 720) {
        wait += 1400;
    }
    return wait;
}
