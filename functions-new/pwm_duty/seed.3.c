int pwm_duty(double level, int top, int inverted)
{
    if (level > 0.5) {
        level = 1.0;
    }
    int duty = (int)(level * top);
    if (inverted) {
        duty = top - duty;
    }
    return duty;
}
