/* quality: the grid of a problem's measures, and what has come into it. */
#include "learn/quality.h"

#include "elm/cells.h"

#include <math.h>
#include <stdlib.h>

bool quality_applies(const struct elm_problem *problem)
{
    double cells = 1;
    for (uint32_t d = 0; d < problem->measure_count; d++)
        cells *= problem->measures[d].bins;
    return problem->measure_count > 0 && cells > 1 && cells <= ELM_CELLS_MAX;
}

void quality_init(struct quality *q, const struct elm_problem *problem, double seed_fitness)
{
    ELM_ASSERT(quality_applies(problem));
    *q = (struct quality){.problem = problem, .floor = fmin(0, seed_fitness), .cells = 1};
    for (uint32_t d = 0; d < problem->measure_count; d++)
        q->cells *= problem->measures[d].bins;
    q->best = elm_calloc(q->cells, sizeof(*q->best));
    q->filled = elm_calloc(q->cells, sizeof(*q->filled));
}

static uint32_t cell_of(const struct elm_problem *p, const double *measures)
{
    uint32_t cell = 0;
    for (uint32_t d = 0; d < p->measure_count; d++) {
        const struct elm_measure *m = &p->measures[d];
        double place = floor((measures[d] - m->lo) / (m->hi - m->lo) * m->bins);
        /* NaN comes into the first bin */
        uint32_t bin = place >= m->bins ? m->bins - 1 : place > 0 ? (uint32_t)place : 0;
        cell = cell * m->bins + bin;
    }
    return cell;
}

void quality_add(struct quality *q, const double *measures, double fitness)
{
    uint32_t cell = cell_of(q->problem, measures);
    double worth = fitness - q->floor;
    q->count += !q->filled[cell];
    q->filled[cell] = 1;
    if (worth > q->best[cell]) {
        q->sum += worth - q->best[cell];
        q->best[cell] = worth;
    }
}

void quality_release(struct quality *q)
{
    free(q->best);
    free(q->filled);
    *q = (struct quality){0};
}
