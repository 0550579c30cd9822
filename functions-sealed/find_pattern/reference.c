int find_pattern(int text[12], int pattern[3])
{
    for (int i = 0; i <= 9; i++) {
        int j = 0;
        while (j < 3 && text[i + j] == pattern[j]) {
            j++;
        }
        if (j == 3) {
            return i;
        }
    }
    return -1;
}
