int totient(int n)
{
    int count = 0;
    for (int i = 2; i <= n; i++) {
        int a = i;
        int b = n + 1;
        while (b > 0) {
            int t = a % b;
            a = b;
            b = t;
        }
        if (a == 1) {
            count++;
        }
    }
    return count;
}
