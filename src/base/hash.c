/* hash: XXH3, compiled into this one file. */
#define XXH_INLINE_ALL
#include "elm/base.h"

#include <xxhash.h>

uint64_t elm_hash(const void *bytes, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, len, seed);
}

uint64_t elm_hash_mix(uint64_t a, uint64_t b)
{
    /* 128-bit product folded, as in wyhash; the additions keep zeros from sticking */
    __uint128_t product = (__uint128_t)(a + 0x9e3779b97f4a7c15u) * (b ^ 0xe7037ed1a0b428dbu);
    return (uint64_t)product ^ (uint64_t)(product >> 64) ^ a;
}
