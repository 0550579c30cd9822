/* edits_rig: a run folder made by hand: children of `tree`, and verdicts drawn at random. */
#ifndef ELM_TESTS_EDITS_RIG_H
#define ELM_TESTS_EDITS_RIG_H

#include "elm/operator.h"
#include "elm/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EDITS_RIG_PROBLEM "problems/parity"
#define EDITS_RIG_PROGRAMS 64

struct edits_rig {
    struct elm_problem *problem;
    struct elm_tree programs[EDITS_RIG_PROGRAMS];
    int64_t ids[EDITS_RIG_PROGRAMS];
    double fitness[EDITS_RIG_PROGRAMS];
    uint32_t count;
    struct elm_buf edit, text;
    struct elm_arena arena;
    struct elm_pool *pool;
    struct elm_vm_memory *vm;
};

/* A child of a random program of the run so far; false: none came of it. */
static inline bool edits_rig_child(struct edits_rig *r, struct elm_rng *rng, struct elm_attempt *a)
{
    uint32_t at = elm_rng_below(rng, r->count), edits_count;
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    struct elm_edit edits[ELM_EDITS_MAX];
    struct elm_parent parent = {.id = r->ids[at], .tree = &r->programs[at], .editable = editable};
    struct elm_operator_context context = {.problem = r->problem, .pool = r->pool, .vm = r->vm,
                                           .arena = &r->arena};
    struct elm_parents parents = {&parent, 1};
    struct elm_tree child;
    parent.editable_count = elm_tree_editable(parent.tree, r->problem->names, editable);
    elm_arena_clear(&r->arena);
    if (elm_operator_find("tree")->mutate(NULL, &context, &parents, rng, edits, &edits_count, NULL) !=
            ELM_OK ||
        elm_tree_edit(parent.tree, edits, edits_count, &child, NULL) != ELM_OK)
        return false;
    bool builds = elm_tree_check(&child, r->problem->names, NULL) == ELM_OK;
    bool good = builds && r->count < EDITS_RIG_PROGRAMS && elm_rng_chance(rng, 0.4);
    double fitness = r->fitness[at] + (good ? 0.01 : -0.01) * (1 + elm_rng_below(rng, 5));
    elm_buf_clear(&r->edit);
    elm_buf_clear(&r->text);
    elm_edits_encode(edits, edits_count, &r->edit);
    *a = (struct elm_attempt){.id = a->id, .batch = a->batch, .parents = {parent.id, -1},
                              .status = builds ? ELM_EVAL_OK : ELM_EVAL_BUILD_FAILED,
                              .better = good ? ELM_BETTER_YES : ELM_BETTER_NO,
                              .outcome = good ? ELM_OUTCOME_NEW : ELM_OUTCOME_REJECTED,
                              .hash = builds ? elm_tree_hash(&child) : 0, .opponent = -1,
                              .fitness = builds ? fitness : 0};
    if (a->id % 8 == 5)
        a->better = ELM_BETTER_UNDECIDED;
    if (a->id % 16 == 9 && !good)
        a->status = ELM_EVAL_SUSPECT;
    if (good) {
        elm_tree_print(&child, r->problem->names, &r->text);
        r->programs[r->count] = elm_tree_copy(&child);
        r->ids[r->count] = a->id;
        r->fitness[r->count++] = fitness;
    }
    elm_tree_release(&child);
    a->edit = elm_buf_str(&r->edit);
    a->text = elm_buf_str(&r->text);
    return true;
}

static inline void edits_rig_fill(struct edits_rig *r, struct elm_store *store, uint32_t attempts)
{
    static const char *const meta[][2] = {{"problem", "parity"}, {"variant", ""},
                                          {"folder", EDITS_RIG_PROBLEM}, {"command", ""}};
    struct elm_rng rng = elm_rng(1, 2);
    for (size_t i = 0; i < ELM_COUNT(meta); i++)
        assert_int_equal(elm_store_meta_put(store, meta[i][0], elm_str(meta[i][1]), NULL), ELM_OK);
    struct elm_attempt seed = {.operator_index = 255, .status = ELM_EVAL_OK, .parents = {-1, -1},
                               .outcome = ELM_OUTCOME_NEW, .fitness = 0.5, .opponent = -1,
                               .text = elm_str(r->problem->seed_text)};
    assert_int_equal(elm_store_append(store, &seed, 1, NULL), ELM_OK);
    for (int64_t id = 1; id <= attempts;) {
        struct elm_attempt a = {.id = id, .batch = id};
        if (!edits_rig_child(r, &rng, &a))
            continue;
        assert_int_equal(elm_store_append(store, &a, 1, NULL), ELM_OK);
        id++;
    }
    struct elm_archive_row rows[8];
    for (uint32_t i = 0; i < 8; i++)
        rows[i] = (struct elm_archive_row){.niche = i, .program = r->ids[r->count - 8 + i],
                                           .fitness = r->fitness[r->count - 8 + i]};
    assert_int_equal(elm_store_archive_put(store, rows, 8, NULL), ELM_OK);
}

static inline void edits_rig_run(const char *folder, uint32_t attempts)
{
    struct edits_rig *r = elm_calloc(1, sizeof(*r));
    struct elm_store *store;
    struct elm_error err = {0};
    if (elm_problem_load(EDITS_RIG_PROBLEM, NULL, &r->problem, &err) != ELM_OK)
        fail_msg("%s", err.message);
    if (elm_store_open(folder, ELM_STORE_CREATE, &store, &err) != ELM_OK)
        fail_msg("%s", err.message);
    r->pool = elm_pool_new();
    r->vm = elm_vm_memory_new();
    r->programs[0] = elm_tree_copy(&r->problem->seed);
    r->fitness[0] = 0.5;
    r->count = 1;
    edits_rig_fill(r, store, attempts);
    assert_int_equal(elm_store_close(store, &err), ELM_OK);
    for (uint32_t i = 0; i < r->count; i++)
        elm_tree_release(&r->programs[i]);
    elm_buf_release(&r->edit);
    elm_buf_release(&r->text);
    elm_arena_release(&r->arena);
    elm_pool_free(r->pool);
    elm_vm_memory_free(r->vm);
    elm_problem_free(r->problem);
    free(r);
}

#endif
