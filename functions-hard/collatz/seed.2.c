int collatz(int n)
{
    int steps = 1;
    while (n > 2) {
        if (n % 2 == 0) {
            n = n / 2;
            steps++;
        } else {
            n = n + 1;
        }
    }
    return steps;
}
