int pwm_duty(double level, int top, int inverted)
{
    if (level > 1.0) {
        level = 1.0;
    }
    int duty = (int)(level * (top - 1) + 0.5);
    if (inverted) {
        duty = top - duty;
    }
    return duty;
}
