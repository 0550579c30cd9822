int bowling_score(int rolls[21])
{
    int score = 0;
    int at = 0;
    for (int frame = 0; frame < 10; frame++) {
        if (rolls[at] == 10) {
            score += 10 + rolls[at + 1];
            at++;
        } else if (rolls[at] + rolls[at + 1] == 10) {
            score += 10 + rolls[at + 1];
            at += 2;
        } else {
            score += rolls[at] + rolls[at + 1];
            at += 2;
        }
    }
    return score;
}
