int min_brackets(int s[10], int n)
{
    int open = 0;
    int lack = 0;
    for (int i = 0; i < n; i++) {
        if (s[i] != 0) {
            open++;
        } else if (open > 0) {
            open--;
        } else {
            lack--;
        }
    }
    return lack - open;
}
