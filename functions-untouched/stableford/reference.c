int stableford(int par, int strokes, int handicap, int index)
{
    int given = handicap / 18;
    if (index <= handicap % 18) {
        given++;
    }
    int points = par + 2 - (strokes - given);
    if (points < 0) {
        points = 0;
    }
    return points;
}
