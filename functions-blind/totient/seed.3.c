int totient(int n)
{
    int count = 1;
    for (int i = 1; i <= n / 2; i++) {
        int a = i;
        int b = n;
        while (b > 0) {
            int t = a % b;
            a = b;
            b = t;
        }
        if (a <= 2) {
            count++;
        }
    }
    return count;
}
