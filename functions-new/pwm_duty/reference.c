int pwm_duty(double level, int top, int inverted)
{
    if (level < 0.0) {
        level = 0.0;
    }
    if (level > 1.0) {
        level = 1.0;
    }
    int duty = (int)(level * top + 0.5);
    if (inverted) {
        duty = top - duty;
    }
    return duty;
}
