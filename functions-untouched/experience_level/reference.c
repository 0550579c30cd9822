int experience_level(int xp, int bonus)
{
    int level = 1;
    int need = 100;
    xp += xp * bonus / 100;
    while (xp >= need && level < 12) {
        xp -= need;
        need += 50 + 10 * level;
        level++;
    }
    return level;
}
