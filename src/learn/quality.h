/*
 * quality: what a search has spread over its problem's measures (QD score): the sum over niches of the best
 * fitness in each, above a floor. A niche must never be worth less than an empty one, so the floor is
 * not the seed's fitness where that is above 0: it is 0 there, and what is below counts as nothing.
 * Whatever archive the search has, the niches are those of the problem's own grid.
 */
#ifndef ELM_LEARN_QUALITY_H
#define ELM_LEARN_QUALITY_H

#include "elm/problem.h"

struct quality {
    const struct elm_problem *problem;
    double floor, sum;
    double *best;                /* above the floor; [cells] */
    uint8_t *filled;
    uint32_t cells, count;       /* count: filled ones */
};
/* Has the problem niches to count? Then `problem` is borrowed until release. */
bool quality_applies(const struct elm_problem *problem);
void quality_init(struct quality *q, const struct elm_problem *problem, double seed_fitness);
void quality_add(struct quality *q, const double *measures, double fitness);
void quality_release(struct quality *q);

#endif
