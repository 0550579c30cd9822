/* rng: Philox2x64-10 (Salmon et al. 2011), through Random123, as a stream per (seed, stream). */
#include "elm/base.h"

#include <Random123/philox.h>
#include <math.h>

struct elm_rng elm_rng(uint64_t seed, uint64_t stream)
{
    return (struct elm_rng){.seed = seed, .stream = stream};
}

uint64_t elm_rng_u64(struct elm_rng *r)
{
    if (r->has_spare) {
        r->has_spare = false;
        return r->spare;
    }
    philox2x64_ctr_t counter = {{r->counter++, r->stream}};
    philox2x64_key_t key = {{r->seed}};
    philox2x64_ctr_t drawn = philox2x64(counter, key);
    r->spare = drawn.v[1];
    r->has_spare = true;
    return drawn.v[0];
}

uint32_t elm_rng_below(struct elm_rng *r, uint32_t n)
{
    ELM_ASSERT(n > 0);
    /* Lemire 2019: multiply and reject the biased low part */
    uint64_t product = (elm_rng_u64(r) >> 32) * n;
    uint32_t threshold = -n % n;
    while ((uint32_t)product < threshold)
        product = (elm_rng_u64(r) >> 32) * n;
    return (uint32_t)(product >> 32);
}

int64_t elm_rng_range(struct elm_rng *r, int64_t lo, int64_t hi)
{
    ELM_ASSERT(lo <= hi);
    uint64_t span = (uint64_t)hi - (uint64_t)lo + 1;
    if (span != 0 && span <= UINT32_MAX)
        return lo + elm_rng_below(r, (uint32_t)span);
    if (span == 0)
        return (int64_t)elm_rng_u64(r);
    uint64_t limit = UINT64_MAX - UINT64_MAX % span;
    uint64_t drawn = elm_rng_u64(r);
    while (drawn >= limit)
        drawn = elm_rng_u64(r);
    return (int64_t)((uint64_t)lo + drawn % span);
}

double elm_rng_unit(struct elm_rng *r)
{
    return (double)(elm_rng_u64(r) >> 11) * 0x1p-53;
}

bool elm_rng_chance(struct elm_rng *r, double p)
{
    return elm_rng_unit(r) < p;
}

double elm_rng_normal(struct elm_rng *r)
{
    /* Box and Muller 1958; 1 - unit keeps the logarithm finite */
    double radius = sqrt(-2 * log(1 - elm_rng_unit(r)));
    return radius * cos(6.283185307179586 * elm_rng_unit(r));
}
