int mastermind(int secret[4], int guess[4])
{
    int black = 0;
    int common = 0;
    for (int c = 1; c <= 5; c++) {
        int s = 0;
        int g = 0;
        for (int i = 0; i < 4; i++) {
            s += secret[i] == c;
            g += guess[i] == c;
        }
        common += s < g ? s : g;
    }
    for (int i = 0; i < 4; i++) {
        if (secret[i] == guess[i]) {
            black++;
        }
    }
    return black * 10 + common;
}
