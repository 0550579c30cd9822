/*
 * samples: what the first N attempts of runs came to, in a line each: how many are valid, better than their
 * parent; filled niches; QD, the sum of the best fitness of each niche (below 0: 0); the best; the mean, where what
 * is invalid or below 0 counts 0.
 *
 *     build/release/tools/samples 1024 RUN...
 */
#include "elm/elm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sums {
    const struct elm_problem *problem;
    double *best;                /* of each niche; NaN: empty */
    int64_t most, attempts, valid, better;
    double top, sum;
};

static uint32_t niche_of(const struct elm_problem *p, const double *measures)
{
    uint32_t niche = 0;
    for (uint32_t i = 0; i < p->measure_count; i++) {
        const struct elm_measure *m = &p->measures[i];
        double place = floor((measures[i] - m->lo) / (m->hi - m->lo) * m->bins);
        niche = niche * m->bins + (place >= m->bins ? m->bins - 1 : place > 0 ? (uint32_t)place : 0);
    }
    return niche;
}

static bool each(void *ctx, const struct elm_attempt *a)
{
    struct sums *s = ctx;
    if (a->id > s->most)
        return false;
    if (a->id == 0)
        return true;
    s->attempts++;
    s->better += a->better == ELM_BETTER_YES;
    if (a->status != ELM_EVAL_OK || !isfinite(a->fitness))
        return true;
    s->valid++;
    double *best = &s->best[niche_of(s->problem, a->measures)];
    *best = fmax(*best, fmax(a->fitness, 0));
    s->sum += fmax(a->fitness, 0);
    s->top = fmax(s->top, a->fitness);
    return true;
}

static enum elm_status measure(int64_t most, const char *folder, struct elm_error *err)
{
    struct elm_problem *problem;
    struct elm_store *store;
    uint32_t niches = 1, filled = 0;
    double qd = 0;
    ELM_TRY(elm_search_problem(folder, NULL, &problem, err));
    for (uint32_t i = 0; i < problem->measure_count; i++)
        niches *= problem->measures[i].bins;
    if (problem->archive[0] != '\0' && strcmp(problem->archive, "grid") != 0) {
        elm_problem_free(problem);
        return elm_fail(err, ELM_USAGE, "'%s': no run of a problem with a grid", folder);
    }
    struct sums s = {.problem = problem, .best = elm_malloc(niches * sizeof(double)), .most = most,
                     .top = -INFINITY};
    for (uint32_t i = 0; i < niches; i++)
        s.best[i] = NAN;
    enum elm_status status = elm_store_open(folder, ELM_STORE_READ, &store, err);
    if (status == ELM_OK) {
        status = elm_store_each(store, 0, each, &s, err);
        elm_store_close(store, NULL);
    }
    for (uint32_t i = 0; i < niches; i++) {
        filled += !isnan(s.best[i]);
        qd += isnan(s.best[i]) ? 0 : s.best[i];
    }
    if (status == ELM_OK && s.attempts > 0)
        printf("%-32s %6lld  valid %3.0f %%  better %4.1f %%  niches %4u  QD %6.0f  best %5.1f  mean %5.2f\n", folder,
               (long long)s.attempts, 100.0 * (double)s.valid / (double)s.attempts,
               100.0 * (double)s.better / (double)s.attempts, filled, qd, s.top,
               s.sum / (double)s.attempts);
    free(s.best);
    elm_problem_free(problem);
    return status;
}

int main(int argc, char **argv)
{
    struct elm_error err = {0};
    long long most = argc > 2 ? atoll(argv[1]) : 0;
    if (most < 1) {
        fprintf(stderr, "usage: samples N RUN...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (measure(most, argv[i], &err) != ELM_OK) {
            fprintf(stderr, "samples: %s\n", err.message);
            return 1;
        }
    }
    return 0;
}
