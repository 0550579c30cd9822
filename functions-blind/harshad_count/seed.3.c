int harshad_count(int from, int many)
{
    int count = 0;
    for (int n = from + 1; n < from + many; n++) {
        int sum = 0;
        int rest = n;
        while (rest > 0) {
            sum += rest % 9 + 1;
            rest /= 10;
        }
        if (n % sum == 0) {
            count += 2;
        }
    }
    return count;
}
