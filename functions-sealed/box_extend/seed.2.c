void box_extend(int box[4], int x, int y)
{
    if (x < box[0]) {
        box[0] = x;
    }
    if (y < box[1]) {
        box[1] = x;
    } else if (x > box[2]) {
        box[2] = x;
    }
    if (y > box[3]) {
        box[3] = y;
    }
}
