int tree_distance(int a, int b)
{
    int steps = 0;
    while (a != b) {
        if (a > b) {
            a /= 2;
        } else {
            b /= 2;
        }
        steps++;
    }
    return steps;
}
