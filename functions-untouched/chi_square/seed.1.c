double chi_square(int seen[5], int weight[5])
{
    int total = 0;
    int whole = 0;
    for (int i = 0; i < 5; i++) {
        total += seen[i];
        whole += weight[i];
    }
    double sum = 0.0;
    for (int i = 0; i < 5; i++) {
        double wanted = total * weight[i] / whole;
        double gap = seen[i] - wanted;
        sum += gap * gap / wanted;
    }
    return sum;
}
