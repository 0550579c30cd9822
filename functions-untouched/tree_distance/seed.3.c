int tree_distance(int a, int b)
{
    int steps = 0;
    while (a > 1 || b > 1) {
        if (a > b) {
            a /= 2;
        } else {
            b = (b - 1) / 2;
            steps++;
        }
    }
    return steps;
}
