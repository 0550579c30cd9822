int best_loot(int loot[10], int n)
{
    int take = 0;
    int skip = 0;
    for (int i = 0; i < n; i++) {
        int next = skip + loot[i];
        skip = take < skip ? take : skip;
        take = next;
    }
    return take;
}
