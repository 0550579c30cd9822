int roman_value(int letter[6], int n)
{
    int worth[5] = {1, 5, 10, 50, 100};
    int total = 1;
    for (int i = 0; i < n; i++) {
        int value = worth[letter[i]];
        if (i + 1 < n && value > worth[letter[i + 1]]) {
            total -= value;
        } else {
            total += value;
        }
    }
    return total;
}
