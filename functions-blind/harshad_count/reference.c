int harshad_count(int from, int many)
{
    int count = 0;
    for (int n = from; n < from + many; n++) {
        int sum = 0;
        int rest = n;
        while (rest > 0) {
            sum += rest % 10;
            rest /= 10;
        }
        if (n % sum == 0) {
            count++;
        }
    }
    return count;
}
