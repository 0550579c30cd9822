int overdraft(int move[8], int n, int start)
{
    int balance = start;
    for (int i = 0; i < n; i++) {
        balance += move[i];
        if (balance < 0) {
            balance -= 5;
        } else if (balance > 100) {
            balance += balance / 50;
        }
    }
    return balance;
}
