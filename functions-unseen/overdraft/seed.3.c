int overdraft(int move[8], int n, int start)
{
    int balance = start;
    for (int i = 0; i < n - 1; i++) {
        balance += move[i];
        if (balance < 0) {
            balance -= 5;
        } else if (balance < 100) {
            balance += move[i] / 50;
        }
    }
    return balance;
}
