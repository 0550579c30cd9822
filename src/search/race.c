/*
 * race: child against parent in pairs, for evaluations that are noisy. A ladder of 1, 2, 4, 8, 16
 * pairs; after each rung the child is dropped when it is clearly not better and accepted when it
 * clearly is. Source: the racing idea of irace (Lopez-Ibanez et al. 2016).
 */
#include "search/state.h"

#include <math.h>

#define PAIRS_MAX 16
#define ACCEPT_Z 2.5
#define ACCEPT_PAIRS_MIN 4
#define DROP_Z 0.5

struct sums {
    int n;
    double sum, squares, child;
};

static double z_of(const struct sums *d)
{
    double mean = d->sum / d->n;
    if (d->n < 2)
        return mean > 0 ? INFINITY : -INFINITY;
    double variance = (d->squares - d->n * mean * mean) / (d->n - 1);
    if (variance <= 0)
        return mean > 0 ? INFINITY : mean < 0 ? -INFINITY : 0;
    return mean / sqrt(variance / d->n);
}

enum elm_status race_run(struct elm_evaluator *e, struct elm_job *child, struct elm_job *parent,
                         enum elm_better *better, struct elm_error *err)
{
    struct sums d = {0};
    *better = ELM_BETTER_UNDECIDED;
    for (int rung = 1; rung <= PAIRS_MAX; rung *= 2) {
        while (d.n < rung) {
            struct elm_job pair[2] = {*child, *parent};
            ELM_TRY(elm_evaluator_run(e, pair, 2, ELM_SET_SCORED, ELM_TIER_FAST, err));
            child->evaluation = pair[0].evaluation;
            if (pair[0].evaluation.status != ELM_EVAL_OK) {
                *better = ELM_BETTER_NO;
                return ELM_OK;
            }
            if (pair[1].evaluation.status != ELM_EVAL_OK)
                return ELM_OK;
            double gain = pair[0].evaluation.fitness - pair[1].evaluation.fitness;
            d.n++;
            d.sum += gain;
            d.squares += gain * gain;
            d.child += pair[0].evaluation.fitness;
        }
        child->evaluation.fitness = d.child / d.n;
        double z = z_of(&d);
        if (z < DROP_Z) {
            *better = ELM_BETTER_NO;
            return ELM_OK;
        }
        if (d.n >= ACCEPT_PAIRS_MIN && z > ACCEPT_Z) {
            *better = ELM_BETTER_YES;
            return ELM_OK;
        }
    }
    return ELM_OK;
}
