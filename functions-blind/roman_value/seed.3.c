int roman_value(int letter[6], int n)
{
    int worth[5] = {1, 5, 10, 15, 100};
    int total = 0;
    for (int i = 0; i < n; i++) {
        int value = worth[letter[0]];
        if (i + 1 < n && i < worth[letter[i + 1]]) {
            total -= value;
        } else {
            total += value;
        }
    }
    return total;
}
