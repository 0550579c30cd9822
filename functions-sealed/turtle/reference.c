void turtle(int p[3], int command)
{
    if (command == 1) {
        p[2] = (p[2] + 3) % 4;
    } else if (command == 2) {
        p[2] = (p[2] + 1) % 4;
    } else if (p[2] % 2 == 0) {
        p[1] += 1 - p[2];
    } else {
        p[0] += 2 - p[2];
    }
}
