/* compare_open: a definition becomes a comparison: everything that can be wrong is looked at first. */
#include "learn/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct elm_compare_def elm_default_compare_def(void)
{
    return (struct elm_compare_def){.seeds = 1, .seed = 1};
}

struct compare_place compare_place(const struct elm_compare *c, uint32_t cell)
{
    uint32_t seeds = c->def.seeds, arms = c->def.arm_count;
    return (struct compare_place){cell / seeds / arms, cell / seeds % arms, cell % seeds};
}

static enum elm_status check_arms(struct elm_compare *c, struct elm_error *err)
{
    const struct elm_compare_def *d = &c->def;
    if (d->arm_count == 0 || d->arm_count > ELM_COMPARE_ARMS_MAX)
        return elm_fail(err, ELM_USAGE, "%u arms; 1 to %d are allowed", d->arm_count,
                        ELM_COMPARE_ARMS_MAX);
    bool asks = false;
    for (uint32_t i = 0; i < d->arm_count; i++)
        asks |= d->arms[i].backend != NULL;
    if (d->tokens > 0 && !asks)
        return elm_fail(err, ELM_USAGE, "--tokens is a budget of a model's, and no arm asks one; leave it "
                        "away, or give such an arm: --arm 'm: operators=span; model=NAME'");
    for (uint32_t i = 0; i < d->arm_count; i++) {
        const struct elm_compare_arm *a = &d->arms[i];
        for (uint32_t k = 0; k < i; k++) {
            if (strcmp(a->name, d->arms[k].name) == 0)
                return elm_fail(err, ELM_USAGE, "there are two arms '%s'", a->name);
        }
        if (a->backend == NULL && compare_arm_evaluations(c, i) == 0 && d->cpu_s == 0)
            return elm_fail(err, ELM_USAGE, "arm '%s' asks no model, so tokens don't end its runs; "
                            "give --evaluations or --cpu-seconds too", a->name);
        ELM_TRY(compare_arm_hash(a, &c->arm_hash[i], err));
    }
    return ELM_OK;
}

/* A model that can't be opened is named before anything runs. */
static enum elm_status check_model(const struct elm_compare_arm *a, struct elm_error *err)
{
    const struct elm_backend_kind *kind = a->backend == NULL ? NULL : elm_backend_find(a->backend);
    struct elm_backend_def def = a->model;
    struct elm_error why = {0};
    void *self;
    if (kind == NULL) {
        if (def.model != NULL && elm_operator_model(a->operators, def.model, &why) != ELM_OK)
            return elm_fail(err, why.status, "arm '%s': %s", a->name, why.message);
        return ELM_OK;
    }
    def.lanes = 1;
    enum elm_status status = kind->open(&def, &self, &why);
    if (status != ELM_OK)
        return elm_fail(err, status, "arm '%s': %s", a->name, why.message);
    kind->close(self);
    return ELM_OK;
}

static enum elm_status check_def(struct elm_compare *c, struct elm_error *err)
{
    const struct elm_compare_def *d = &c->def;
    if (d->evaluations == 0 && d->cpu_s == 0 && d->tokens == 0)
        return elm_fail(err, ELM_USAGE, "a comparison needs a budget: --evaluations, --cpu-seconds or "
                        "--tokens");
    if (!(d->cpu_s >= 0) || !(d->evaluation_s >= 0) || d->seeds == 0 || d->seeds > 10000)
        return elm_fail(err, ELM_USAGE, "%u seeds, %g and %g seconds; 1 to 10000 seeds are allowed, and "
                        "no time below 0", d->seeds, d->cpu_s, d->evaluation_s);
    ELM_TRY(check_arms(c, err));
    for (uint32_t i = 0; i < d->arm_count; i++)
        ELM_TRY(check_model(&d->arms[i], err));
    return ELM_OK;
}

/* 1, 2, 5, 10, ... up to the budget, and that itself. */
static void set_marks(struct elm_compare *c)
{
    static const uint64_t steps[] = {1, 2, 5};
    uint64_t most = compare_evaluations(c), decade = 1;
    while (c->mark_count + 4 < ELM_COMPARE_MARKS && (most == 0 || decade < most)) {
        for (int i = 0; i < 3; i++) {
            if (most == 0 || steps[i] * decade < most)
                c->marks[c->mark_count++] = steps[i] * decade;
        }
        decade *= 10;
    }
    if (most > 0)
        c->marks[c->mark_count++] = most;
}

/* Another build may search in another way, and hold another model. */
static uint64_t hash_program(void)
{
    struct elm_buf bytes = {0};
    uint64_t hash = 0;
    if (elm_file_read("/proc/self/exe", (size_t)1 << 32, &bytes, NULL) == ELM_OK)
        hash = elm_hash(bytes.ptr, bytes.len, 0);
    elm_buf_release(&bytes);
    return hash;
}

static enum elm_status open_all(struct elm_compare *c, struct elm_error *err)
{
    ELM_TRY(check_def(c, err));
    set_marks(c);
    ELM_TRY(compare_problems(c, err));
    c->cell_count = c->problem_count * c->def.arm_count * c->def.seeds;
    c->cells = elm_calloc(c->cell_count, sizeof(*c->cells));
    c->program = hash_program();
    return compare_cells_open(c, err);
}

enum elm_status elm_compare_open(const struct elm_compare_def *def, struct elm_compare **out,
                                 struct elm_error *err)
{
    ELM_ASSERT(def->keeper != NULL);
    struct elm_compare *c = elm_calloc(1, sizeof(*c));
    c->def = *def;
    c->file = -1;
    c->last = -1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    enum elm_status status = open_all(c, err);
    if (status != ELM_OK) {
        elm_compare_close(c);
        return status;
    }
    *out = c;
    return ELM_OK;
}

void elm_compare_close(struct elm_compare *c)
{
    if (c == NULL)
        return;
    compare_result_release(c);
    for (uint32_t i = 0; i < c->problem_count; i++) {
        struct compare_problem *p = &c->problems[i];
        free(p->label);
        free(p->load);
        for (uint32_t k = 0; k < ELM_COMPARE_ARMS_MAX; k++)
            free(p->why[k]);
    }
    free(c->problems);
    free(c->cells);
    if (c->file >= 0)
        close(c->file);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
