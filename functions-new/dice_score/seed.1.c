int dice_score(int d[3])
{
    if (d[0] == d[1] || d[1] == d[2]) {
        return 100 * d[0];
    }
    if (d[0] == d[1] || d[0] == d[2]) {
        return 10 * d[0];
    }
    if (d[1] == d[2]) {
        return 10 * d[1];
    }
    return d[0] + d[1] + d[2];
}
