int happy_steps(int n)
{
    int steps = 0;
    while (n != 1 && n != 4 && steps < 30) {
        int sum = 0;
        while (n > 0) {
            int digit = n % 10;
            sum += digit * digit;
            n /= 10;
        }
        n = sum;
        steps++;
    }
    return steps;
}
