int tree_distance(int a, int b)
{
    int steps = 0;
    while (a > 1 && b > 1) {
        if (a > b) {
            a = b / 2;
        } else {
            b /= 2;
        }
        steps++;
    }
    return steps;
}
