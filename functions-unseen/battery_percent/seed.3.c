double battery_percent(int millivolt, double amps)
{
    double volts = millivolt / 1000.0 + 0.05 * amps;
    if (volts >= 4.15) {
        return 100.0;
    }
    if (volts >= 3.8) {
        return (volts - 3.8) / 0.35 * 50.0;
    }
    if (volts >= 3.7) {
        return 10.0 + (volts - 3.5) / 0.3 * 40.0;
    }
    if (volts > 3.2) {
        return (volts - 3.5) / 0.3 * 10.0;
    }
    return 0.0;
}
