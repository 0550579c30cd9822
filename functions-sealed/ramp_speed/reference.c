double ramp_speed(int step, int total, int ramp, double top)
{
    int left = total - step;
    if (step < ramp) {
        return top * (step + 1) / ramp;
    }
    if (left < ramp) {
        return top * left / ramp;
    }
    return top;
}
