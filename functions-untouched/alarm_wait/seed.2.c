int alarm_wait(int hour, int minute, int alarm_hour, int alarm_minute)
{
    int now = hour * 60 - minute;
    int then = alarm_hour * 60 + alarm_minute;
    int wait = then - now;
    if (wait <= 0) {
        wait += 720;
    }
    return wait;
}
