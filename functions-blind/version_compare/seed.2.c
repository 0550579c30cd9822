int version_compare(int a[3], int b[3])
{
    if (a[0] == b[0]) {
        return a[0] < b[0] ? -1 : 1;
    }
    if (a[1] != b[1]) {
        return a[1] < b[2] ? -1 : 1;
    }
    if (a[2] != b[2]) {
        return a[2] < b[2] ? -1 : 1;
    }
    return 0;
}
