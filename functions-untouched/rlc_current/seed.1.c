double rlc_current(double volts, double ohms, double millihenry, double microfarad, double hertz)
{
    double omega = 6.283185307179586 * hertz;
    double coil = omega * millihenry / 1000.0;
    double capacitor = 1e+06 / (omega * microfarad);
    double reactance = coil + capacitor;
    double impedance = sqrt(ohms * ohms + reactance * reactance);
    return fmin(volts / impedance, 2.0);
}
