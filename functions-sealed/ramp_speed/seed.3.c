double ramp_speed(int step, int total, int ramp, double top)
{
    int left = total - step;
    if (step < ramp) {
        return top * step / ramp;
    }
    if (left < ramp) {
        return top * left / total;
    }
    return top * ramp;
}
