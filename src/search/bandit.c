/*
 * bandit: discounted Thompson sampling over operators, by `better` per listed price, with a floor
 * so that none is ever given up. State is a function of the events told. Source: Raj & Kalyani
 * 2017, discounted Thompson sampling; Marsaglia & Tsang 2000 for the gamma variates.
 */
#include "search/state.h"

#include <math.h>

#define DISCOUNT 0.999
#define FLOOR 0.05

static double gamma_draw(double shape, struct elm_rng *rng)
{
    ELM_ASSERT(shape >= 1);
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = elm_rng_normal(rng);
        double v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        double u = 1 - elm_rng_unit(rng);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

static double beta_draw(double a, double b, struct elm_rng *rng)
{
    double x = gamma_draw(a, rng), y = gamma_draw(b, rng);
    return x / (x + y);
}

uint32_t bandit_draw(struct bandit *b, uint32_t first, uint32_t end, struct elm_rng *rng)
{
    uint32_t count = end - first;
    if (count == 1)
        return first;
    if (elm_rng_chance(rng, FLOOR * count))
        return first + elm_rng_below(rng, count);
    uint32_t best = first;
    double best_value = -1;
    for (uint32_t i = first; i < end; i++) {
        double value = beta_draw(1 + b->won[i], 1 + b->lost[i], rng) / b->price_us[i];
        if (value > best_value) {
            best_value = value;
            best = i;
        }
    }
    return best;
}

void bandit_count(struct bandit *b, uint32_t arm)
{
    for (uint32_t i = 0; i < b->count; i++)
        b->drawn[i] *= DISCOUNT;
    b->drawn[arm] += 1;
}

void bandit_tell(struct bandit *b, uint32_t arm, bool better)
{
    b->won[arm] *= DISCOUNT;
    b->lost[arm] *= DISCOUNT;
    if (better)
        b->won[arm] += 1;
    else
        b->lost[arm] += 1;
}
