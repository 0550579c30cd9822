/* dataset_admitted: programs that runs admitted, as answers to what the operator compose asks. */
#include "learn/dataset.h"

#include "elm/compose.h"
#include "elm/search.h"
#include "elm/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 3                 /* of literals; starts of walkers differ by more */

struct program {
    uint64_t niche;
    double fitness;
    size_t at, len;              /* of its answer */
};
struct kept_run {
    struct elm_problem *problem;
    struct elm_compose *spot;
    struct program *programs;
    uint32_t count, first_alike; /* the first run of the same problem and variant */
    struct elm_buf answers;
};

/* The cell of its measures, as the archive `grid` has it: a byte for each. */
static uint64_t niche_of(const struct elm_problem *p, const double *measures)
{
    uint64_t niche = 0;
    for (uint32_t i = 0; i < p->measure_count; i++) {
        const struct elm_measure *m = &p->measures[i];
        double place = floor((measures[i] - m->lo) / (m->hi - m->lo) * m->bins);
        uint32_t bin = place >= m->bins ? m->bins - 1 : place > 0 ? (uint32_t)place : 0;
        niche = niche << 8 | bin;
    }
    return niche;
}

static bool each(void *ctx, const struct elm_attempt *a)
{
    struct kept_run *r = ctx;
    struct elm_tree tree = {0};
    bool seed = a->id == 0;
    if ((!seed && a->text.len == 0) || a->status != ELM_EVAL_OK || !isfinite(a->fitness) ||
        (a->flags & ELM_ATTEMPT_REMATCH) != 0 || r->count == UINT32_MAX / 2)
        return true;
    if (!seed && elm_tree_parse(a->text, r->problem->names, &tree, NULL) != ELM_OK)
        return true;
    struct program made = {niche_of(r->problem, a->measures), a->fitness, r->answers.len, 0};
    if ((seed || elm_tree_check(&tree, r->problem->names, NULL) == ELM_OK) &&
        elm_compose_answer(r->spot, seed ? &r->problem->seed : &tree, DIGITS, &r->answers)) {
        made.len = r->answers.len - made.at;
        if ((r->count & (r->count - 1)) == 0)
            r->programs = elm_realloc(r->programs, (r->count == 0 ? 1 : 2 * (size_t)r->count) *
                                                       sizeof(*r->programs));
        r->programs[r->count++] = made;
    }
    elm_tree_release(&tree);
    return true;
}

/* The control: the same programs, and who reaches the share is drawn. */
static void shuffle(const struct elm_dataset *d, struct kept_run *r, uint32_t number)
{
    struct elm_rng rng = elm_rng(d->seed ^ 0x73687566, number);
    for (uint32_t i = r->count; i > 1; i--) {
        struct program *a = &r->programs[i - 1], *b = &r->programs[elm_rng_below(&rng, i)];
        const struct program kept = *a;
        a->at = b->at;
        a->len = b->len;
        b->at = kept.at;
        b->len = kept.len;
    }
}

static enum elm_status read_run(struct kept_run *r, const char *folder, struct elm_error *err)
{
    struct elm_error why = {0};
    struct elm_store *store;
    ELM_TRY(elm_search_problem(folder, NULL, &r->problem, err));
    if (elm_compose_open(r->problem, &r->spot, &why) != ELM_OK)
        return elm_fail(err, ELM_USAGE, "run '%s': its programs can't be learnt whole: %s", folder,
                        why.message);
    ELM_TRY(elm_store_open(folder, ELM_STORE_READ, &store, err));
    enum elm_status status = elm_store_each(store, 0, each, r, err);
    elm_store_close(store, NULL);
    return status;
}

static bool alike(const struct elm_problem *a, const struct elm_problem *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->variant, b->variant) == 0;
}

struct best {
    uint64_t niche;
    double fitness;
};

static int by_niche(const void *a, const void *b)
{
    const struct best *x = a, *y = b;
    if (x->niche != y->niche)
        return x->niche < y->niche ? -1 : 1;
    return x->fitness > y->fitness ? -1 : x->fitness < y->fitness;
}

/* All programs of the runs of one problem, of a niche the best one first; free it. */
static struct best *sort_alike(const struct kept_run *runs, uint32_t first, uint32_t count,
                               size_t *programs)
{
    size_t room = 0;
    for (uint32_t r = first; r < count; r++)
        room += runs[r].first_alike == first ? runs[r].count : 0;
    struct best *all = elm_malloc((room + 1) * sizeof(*all));
    *programs = 0;
    for (uint32_t r = first; r < count; r++) {
        for (uint32_t i = 0; runs[r].first_alike == first && i < runs[r].count; i++)
            all[(*programs)++] = (struct best){runs[r].programs[i].niche, runs[r].programs[i].fitness};
    }
    qsort(all, *programs, sizeof(*all), by_niche);
    return all;
}

static double best_of(const struct best *all, size_t count, uint64_t niche)
{
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (all[mid].niche < niche)
            lo = mid + 1;
        else
            hi = mid;
    }
    return all[lo].fitness;
}

static enum elm_status add_all(struct elm_dataset *d, const struct kept_run *runs, uint32_t count,
                               double share, struct elm_error *err)
{
    struct elm_prompt *words = elm_prompt_new("compose");
    enum elm_status status = ELM_OK;
    for (uint32_t k = 0; k < count && status == ELM_OK; k++) {
        const struct kept_run *r = &runs[k];
        struct elm_request request = {0};
        size_t alike_count;
        struct best *best = sort_alike(runs, r->first_alike, count, &alike_count);
        status = elm_compose_ask(r->spot, words, NULL, &request, err);
        for (uint32_t i = 0; i < r->count && status == ELM_OK; i++) {
            double most = best_of(best, alike_count, r->programs[i].niche);
            if (r->programs[i].fitness < most - (1 - share) * fabs(most))
                continue;
            dataset_item(d, elm_buf_str(&request.prompt));
            dataset_answer(d, (struct elm_str){r->answers.ptr + r->programs[i].at,
                                               r->programs[i].len}, 1);
        }
        elm_request_release(&request);
        free(best);
    }
    elm_prompt_free(words);
    return status;
}

enum elm_status elm_dataset_add_admitted(struct elm_dataset *d, const char *const *runs,
                                         uint32_t run_count, double share, struct elm_error *err)
{
    struct kept_run *all = elm_calloc(run_count + 1, sizeof(*all));
    enum elm_status status = ELM_OK;
    for (uint32_t k = 0; k < run_count && status == ELM_OK; k++) {
        status = read_run(&all[k], runs[k], err);
        if (status == ELM_OK && d->shuffled)
            shuffle(d, &all[k], k);
        while (status == ELM_OK && !alike(all[all[k].first_alike].problem, all[k].problem))
            all[k].first_alike++;
    }
    if (status == ELM_OK)
        status = add_all(d, all, run_count, share, err);
    for (uint32_t k = 0; k < run_count; k++) {
        elm_compose_close(all[k].spot);
        elm_problem_free(all[k].problem);
        elm_buf_release(&all[k].answers);
        free(all[k].programs);
    }
    free(all);
    return status;
}
