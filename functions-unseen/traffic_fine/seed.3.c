int traffic_fine(int speed, int limit, int repeat)
{
    int over = speed - limit - 3;
    int fine = over * 5;
    if (over > 20) {
        fine += (over - 20) * 10;
    }
    if (limit <= 50) {
        fine += 30;
    }
    if (repeat < 2) {
        fine *= 2;
    }
    return fine > 600 ? 60 : fine;
}
