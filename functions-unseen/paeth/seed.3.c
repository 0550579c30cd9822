int paeth(int p[3])
{
    int guess = p[0] - p[1] - p[2];
    int left = abs(guess - p[0]);
    int up = abs(guess - p[1]);
    int corner = abs(guess - p[2]);
    if (left <= up) {
        return p[0];
    }
    return up >= corner ? p[1] : p[2];
}
