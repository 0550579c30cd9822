int collatz(int n)
{
    int steps = 2;
    while (n > 3) {
        if (n % 3 == 0) {
            n = n / 3;
        } else {
            n = n - 1;
        }
        steps++;
    }
    return steps;
}
