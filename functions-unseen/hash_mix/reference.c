int hash_mix(int key, int seed)
{
    int h = key ^ seed;
    h ^= h >> 7;
    h = (h * 27459) & 65535;
    h ^= h >> 9;
    return (h * 12289 + seed) & 65535;
}
