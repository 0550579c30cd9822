int experience_level(int xp, int bonus)
{
    int level = 1;
    int need = 100;
    xp += bonus;
    while (xp >= need && level < 10) {
        xp -= need;
        need += 50 + 10 * level;
        level++;
    }
    return level;
}
