int collatz(int n)
{
    int steps = 1;
    while (n > 2) {
        if (n % 4 == 0) {
            n = n / 2;
        } else {
            n = 3 * n + 1;
        }
        steps++;
    }
    return steps;
}
