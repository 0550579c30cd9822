int compass_point(double lat1, double lon1, double lat2, double lon2)
{
    double rad = 0.017453292519943295;
    double turn = (lon2 - lon1) * rad;
    double east = sin(turn) * cos(lat2 * rad);
    double north = cos(lat1 * rad) * sin(lat2 * rad);
    north -= sin(lat1 * rad) * cos(lat2 * rad) * sin(turn);
    double angle = atan2(east, north) / rad;
    int point = floor(angle / 45.0 + 8.5);
    return point % 8;
}
