int palindromes(int from, int to, int base)
{
    int count = 0;
    for (int n = from; n <= to; n++) {
        int mirror = 0;
        for (int rest = n; rest > 0; rest /= base) {
            mirror = mirror * base + rest % base;
        }
        if (mirror == n) {
            count++;
        }
    }
    return count;
}
