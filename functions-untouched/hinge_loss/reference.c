double hinge_loss(double z[4], int label)
{
    double sum = 0.0;
    for (int i = 0; i < 4; i++) {
        if (i != label) {
            sum += fmax(z[i] - z[label] + 1.0, 0.0);
        }
    }
    return sum;
}
