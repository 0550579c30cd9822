int experience_level(int xp, int bonus)
{
    int level = 0;
    int need = 100;
    xp += xp * bonus / 10;
    while (xp >= need && level < 12) {
        xp -= 100;
        level++;
        need += 50 + 10 * level;
    }
    return level;
}
