/*
 * loop: archive + selector + operator parts without store, cage or workers, for benches that count
 * evaluations. Programs run in the VM in this process.
 */
#ifndef ELM_BENCH_LOOP_H
#define ELM_BENCH_LOOP_H

#include "elm/archive.h"
#include "elm/operator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELD 64                  /* more than any archive used here keeps */
#define BARREN 200               /* attempts in a row without an evaluation before giving up */

struct held_program {
    int64_t id;
    struct elm_tree tree;
    uint8_t *editable;
    uint32_t editable_count;
    struct elm_evaluation evaluation;
};

struct loop {
    struct elm_problem *problem;
    const struct elm_evidence *evidence;
    /* fills e->fitness; false when the program fails */
    bool (*evaluate)(void *ctx, const struct elm_tree *t, struct elm_evaluation *e);
    void *ctx;
    const char *operators[4];        /* drawn uniformly; NULL ends */
    const char *archive, *selector;
    double target;
    uint64_t seed;
    uint32_t budget;
    struct elm_vm_memory *vm;

    /* results */
    uint32_t evaluations, attempts;
    bool solved;
    struct elm_tree best;            /* released by loop_run's caller */

    struct held_program held[HELD];
    uint64_t *seen;                  /* open addressing, 0 empty */
    uint32_t seen_mask;
    struct elm_pool *pool;
    struct elm_arena arena;
    void *elites;
    const struct elm_archive_kind *kind;
};

static bool loop_seen(struct loop *l, uint64_t hash)
{
    hash += hash == 0;
    uint32_t i = (uint32_t)hash & l->seen_mask;
    while (l->seen[i] != 0 && l->seen[i] != hash)
        i = (i + 1) & l->seen_mask;
    bool old = l->seen[i] != 0;
    l->seen[i] = hash;
    return old;
}

static struct held_program *loop_find(struct loop *l, int64_t id)
{
    for (int i = 0; i < HELD; i++) {
        if (l->held[i].tree.count > 0 && l->held[i].id == id)
            return &l->held[i];
    }
    return NULL;
}

static void loop_drop(struct held_program *h)
{
    elm_tree_release(&h->tree);
    free(h->editable);
    *h = (struct held_program){0};
}

/* Offers an evaluated program to the archive; takes the tree. */
static void loop_tell(struct loop *l, int64_t id, struct elm_tree tree,
                      const struct elm_evaluation *e)
{
    struct elm_entrant x = {.id = id, .parent = -1, .nodes = tree.count, .evaluation = e};
    struct elm_add_result r = l->kind->add(l->elites, &x);
    if (r.outcome < ELM_OUTCOME_IMPROVED) {
        elm_tree_release(&tree);
        return;
    }
    if (r.evicted >= 0)
        loop_drop(loop_find(l, r.evicted));
    elm_pool_add(l->pool, &tree);
    for (int i = 0; i < HELD; i++) {
        struct held_program *h = &l->held[i];
        if (h->tree.count > 0)
            continue;
        *h = (struct held_program){.id = id, .tree = tree, .evaluation = *e,
                                   .editable = elm_calloc(tree.count / 8 + 1, 1)};
        h->editable_count = elm_tree_editable(&tree, l->problem->names, h->editable);
        return;
    }
    abort();
}

static void loop_choose(struct loop *l, struct elm_rng *rng, struct elm_parent parents[2],
                        struct elm_parents *out)
{
    struct elm_selection from = {.kind = l->kind, .archive = l->elites,
                                 .count = l->kind->count(l->elites)};
    uint32_t indices[2], count = from.count > 1 ? 2 : 1;
    elm_selector_find(l->selector)->select(&from, rng, count, indices);
    for (uint32_t i = 0; i < count; i++) {
        struct elm_elite *elite = l->kind->at(l->elites, indices[i]);
        struct held_program *h = loop_find(l, elite->id);
        elite->asked += i == 0;
        parents[i] = (struct elm_parent){.id = h->id, .tree = &h->tree, .editable = h->editable,
                                         .editable_count = h->editable_count,
                                         .evaluation = &h->evaluation};
    }
    *out = (struct elm_parents){parents, count};
}

/* One attempt; true when a child was evaluated. */
static bool loop_step(struct loop *l, void *const *selves, uint32_t operators)
{
    struct elm_rng rng = elm_rng(l->seed, ++l->attempts);
    struct elm_parent two[2];
    struct elm_parents parents;
    struct elm_operator_context context = {.problem = l->problem, .evidence = l->evidence,
                                           .pool = l->pool, .vm = l->vm, .arena = &l->arena};
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t edit_count, arm = elm_rng_below(&rng, operators);
    struct elm_tree child;
    struct elm_error err;
    loop_choose(l, &rng, two, &parents);
    elm_arena_clear(&l->arena);
    const struct elm_operator_kind *op = elm_operator_find(l->operators[arm]);
    if (op->mutate(selves[arm], &context, &parents, &rng, edits, &edit_count, &err) != ELM_OK ||
        elm_tree_edit(two[0].tree, edits, edit_count, &child, &err) != ELM_OK)
        return false;
    struct elm_evaluation e = {.status = ELM_EVAL_OK};
    if (child.count > l->problem->nodes_max ||
        elm_tree_check(&child, l->problem->names, &err) != ELM_OK ||
        loop_seen(l, elm_tree_hash(&child))) {
        elm_tree_release(&child);
        return false;
    }
    l->evaluations++;
    if (!l->evaluate(l->ctx, &child, &e)) {
        elm_tree_release(&child);
        return true;
    }
    if (e.fitness >= l->target) {
        l->solved = true;
        l->best = child;
        return true;
    }
    loop_tell(l, l->attempts, child, &e);
    return true;
}

/* Runs until the target or the budget is reached. */
static void loop_run(struct loop *l)
{
    void *selves[4] = {0};
    uint32_t operators = 0, barren = 0, slots = 1024;
    struct elm_evaluation e = {.status = ELM_EVAL_OK};
    while (slots < 3 * l->budget)
        slots *= 2;
    l->seen = elm_calloc(slots, sizeof(l->seen[0]));
    l->seen_mask = slots - 1;
    l->pool = elm_pool_new();
    l->kind = elm_archive_find(l->archive);
    l->elites = l->kind->make(l->problem, 0);
    for (; operators < 4 && l->operators[operators] != NULL; operators++) {
        const struct elm_operator_kind *op = elm_operator_find(l->operators[operators]);
        selves[operators] = op->make != NULL ? op->make(l->problem) : NULL;
    }
    loop_seen(l, elm_tree_hash(&l->problem->seed));
    if (!l->evaluate(l->ctx, &l->problem->seed, &e))
        abort();
    loop_tell(l, 0, elm_tree_copy(&l->problem->seed), &e);
    while (!l->solved && l->evaluations < l->budget && barren < BARREN)
        barren = loop_step(l, selves, operators) ? 0 : barren + 1;
    for (uint32_t i = 0; i < operators; i++) {
        const struct elm_operator_kind *op = elm_operator_find(l->operators[i]);
        if (op->free != NULL)
            op->free(selves[i]);
    }
    for (int i = 0; i < HELD; i++)
        loop_drop(&l->held[i]);
    l->kind->free(l->elites);
    elm_pool_free(l->pool);
    elm_arena_release(&l->arena);
    free(l->seen);
}

/* An `int name` parameter of the entry. */
static void loop_int_param(struct elm_io *io, const char *name)
{
    struct elm_io_param *p = &io->params[io->param_count++];
    *p = (struct elm_io_param){.type = ELM_TYPE_INT, .direction = ELM_IO_IN};
    snprintf(p->name, sizeof(p->name), "%s", name);
}

#endif
