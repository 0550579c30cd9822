double ising_energy(int spin[4][4], double pull, double field)
{
    double energy = 0.0;
    for (int r = 0; r < 4; r++) {
        for (int c = 0; c < 4; c++) {
            int here = 2 * spin[r][c] - 1;
            int right = 2 * spin[r][(c + 1) % 4] - 1;
            int down = 2 * spin[(r + 1) % 4][c] - 1;
            energy -= pull * here * (right + down) + field * here;
        }
    }
    return energy / 16.0;
}
