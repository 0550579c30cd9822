int best_loot(int loot[10], int n)
{
    int take = 0;
    int skip = 0;
    for (int i = 1; i < n; i++) {
        int next = skip + loot[i];
        take = next;
        skip = take > skip ? take : skip;
    }
    return take > skip ? skip : take;
}
