/* dataset_run: what a run's models were asked and answered, and what became of it. */
#include "learn/dataset.h"

#include "elm/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct child {
    int64_t attempt, parent;
    uint8_t operator_index;
    double reward;               /* better: 1 */
    double fitness;              /* -INFINITY: none */
};
struct gathering {
    struct child *children;
    uint32_t count;
};

static bool gather(void *ctx, const struct elm_attempt *a)
{
    struct gathering *g = ctx;
    bool labelled = a->better != ELM_BETTER_UNDECIDED && a->status != ELM_EVAL_DUPLICATE &&
                    a->status != ELM_EVAL_SUSPECT && a->status != ELM_EVAL_FAULT;
    if (a->id == 0 || !labelled || (a->flags & ELM_ATTEMPT_REMATCH) != 0 ||
        g->count == UINT32_MAX / 2)
        return true;
    if ((g->count & (g->count - 1)) == 0)
        g->children = elm_realloc(g->children, (g->count == 0 ? 1 : 2 * (size_t)g->count) *
                                                   sizeof(*g->children));
    bool scored = a->status == ELM_EVAL_OK && isfinite(a->fitness);
    g->children[g->count++] = (struct child){a->id, a->parents[0], a->operator_index,
                                             a->better == ELM_BETTER_YES,
                                             scored ? a->fitness : -INFINITY};
    return true;
}

static int by_parent(const void *a, const void *b)
{
    const struct child *x = a, *y = b;
    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    if (x->operator_index != y->operator_index)
        return x->operator_index < y->operator_index ? -1 : 1;
    return x->attempt < y->attempt ? -1 : x->attempt > y->attempt;
}

struct reading {
    struct elm_dataset *data;
    struct elm_store *store;
    struct elm_arena arena;
    struct elm_error *err;
};

/* ELM_NOT_FOUND: no model was asked, or it did not answer. */
static enum elm_status call_of(struct reading *r, int64_t attempt, struct elm_call *out)
{
    struct elm_error why = {0};
    elm_arena_clear(&r->arena);
    enum elm_status status = elm_store_call(r->store, attempt, &r->arena, out, &why);
    if (status == ELM_OK && (out->answer.len == 0 || out->why.len > 0))
        return ELM_NOT_FOUND;
    if (status != ELM_OK && status != ELM_NOT_FOUND)
        return elm_fail(r->err, status, "%s", why.message);
    return status;
}

/* The answer to a child's call as one of the newest item; `begin`: to a new item. */
static enum elm_status add_child(struct reading *r, const struct child *c, bool begin, double reward)
{
    struct elm_call call = {0};
    enum elm_status status = call_of(r, c->attempt, &call);
    if (status != ELM_OK)
        return status;
    if (begin)
        dataset_item(r->data, call.prompt);
    dataset_answer(r->data, call.answer, reward);
    return ELM_OK;
}

static enum elm_status add_singles(struct reading *r, const struct gathering *g, bool good_only)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (good_only && g->children[i].reward <= 0)
            continue;
        enum elm_status status = add_child(r, &g->children[i], true, g->children[i].reward);
        if (status != ELM_OK && status != ELM_NOT_FOUND)
            return status;
    }
    return ELM_OK;
}

/* All children of one parent by one operator: one item. */
static enum elm_status add_group(struct reading *r, const struct child *c, uint32_t count)
{
    struct elm_dataset *d = r->data;
    bool begin = true;
    for (uint32_t i = 0; i < count; i++) {
        enum elm_status status = add_child(r, &c[i], begin, c[i].reward);
        if (status != ELM_OK && status != ELM_NOT_FOUND)
            return status;
        begin = begin && status == ELM_NOT_FOUND;
    }
    /* one answer alone can't be compared */
    if (!begin && d->items[d->item_count - 1].count < 2) {
        d->item_count--;
        d->answer_count--;
    }
    return ELM_OK;
}

/* The control: what became of them changes places. */
static void shuffle(const struct elm_dataset *d, struct gathering *g)
{
    struct elm_rng rng = elm_rng(d->seed ^ 0x73687566, 0);
    for (uint32_t i = g->count; i > 1; i--) {
        struct child *a = &g->children[i - 1], *b = &g->children[elm_rng_below(&rng, i)];
        const struct child kept = *a;
        a->reward = b->reward;
        a->fitness = b->fitness;
        b->reward = kept.reward;
        b->fitness = kept.fitness;
    }
}

/* By the share of the others that a child leaves behind, equal ones by half. */
static void grade(struct child *c, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        double behind = 0;
        for (uint32_t j = 0; j < count; j++)
            behind += c[j].fitness < c[i].fitness ? 1 : c[j].fitness == c[i].fitness && j != i ? 0.5 : 0;
        c[i].reward = count > 1 ? behind / (count - 1) : 0;
    }
}

/* The k-th good one with the k-th bad one, the shorter side again from its start. Where they are graded
 * the best alone is good. */
static enum elm_status add_pairs(struct reading *r, const struct child *c, uint32_t count)
{
    struct elm_dataset *d = r->data;
    uint32_t first = d->item_count, good = 0, bad = 0;
    ELM_TRY(add_group(r, c, count));
    if (d->item_count == first)
        return ELM_OK;
    const struct elm_data_item group = d->items[--d->item_count];
    struct elm_data_answer *all = elm_malloc(group.count * sizeof(*all));
    double bar = 0;
    for (uint32_t i = 0; d->graded && i < group.count; i++)
        bar = fmax(bar, d->answers[group.first + i].reward);
    for (uint32_t i = 0; i < group.count; i++) {
        const struct elm_data_answer *a = &d->answers[group.first + i];
        if (a->reward > 0 && a->reward >= bar)
            all[good++] = *a;
        else
            all[group.count - ++bad] = *a;
    }
    d->answer_count = group.first;
    for (uint32_t i = 0; good > 0 && bad > 0 && i < (good > bad ? good : bad); i++) {
        dataset_item(d, group.prompt);
        dataset_answer(d, all[i % good].text, 1);
        dataset_answer(d, all[group.count - 1 - i % bad].text, 0);
    }
    free(all);
    return ELM_OK;
}

static enum elm_status add_compared(struct reading *r, struct gathering *g, bool pairs)
{
    qsort(g->children, g->count, sizeof(*g->children), by_parent);
    for (uint32_t i = 0, end; i < g->count; i = end) {
        const struct child *c = &g->children[i];
        for (end = i + 1; end < g->count && g->children[end].parent == c->parent &&
                          g->children[end].operator_index == c->operator_index;)
            end++;
        if (r->data->graded)
            grade(&g->children[i], end - i);
        ELM_TRY(pairs ? add_pairs(r, c, end - i) : add_group(r, c, end - i));
    }
    return ELM_OK;
}

enum elm_status dataset_add_run(struct elm_dataset *d, enum elm_data_kind kind, const char *folder,
                                struct elm_error *err)
{
    struct reading r = {.data = d, .err = err};
    struct gathering g = {0};
    struct elm_call_totals totals;
    struct elm_error ignored;
    ELM_TRY(elm_store_open(folder, ELM_STORE_READ, &r.store, err));
    enum elm_status status = elm_store_call_totals(r.store, &totals, err);
    if (status == ELM_OK && totals.calls > 0)
        status = elm_store_each(r.store, 0, gather, &g, err);
    if (status == ELM_OK && d->shuffled)
        shuffle(d, &g);
    if (status == ELM_OK && g.count > 0) {
        if (kind == ELM_DATA_EXAMPLES || kind == ELM_DATA_LABELS)
            status = add_singles(&r, &g, kind == ELM_DATA_EXAMPLES);
        else
            status = add_compared(&r, &g, kind == ELM_DATA_PAIRS);
    }
    elm_store_close(r.store, &ignored);
    elm_arena_release(&r.arena);
    free(g.children);
    return status;
}
