/*
 * cycle_annecs: the accumulated number of novel problems created and solved (Wang et al. 2020), of a cycle's
 * generated problems. Novel: no program that earlier rounds have kept solves it when its round begins.
 * Solved: one that its round or a later one has kept does. Kept are the best programs of all searches.
 * Everything follows from files, so that it is the same after a kill.
 */
#include "learn/cycle.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX ((size_t)1 << 20)

struct kept {
    char *text;
    uint32_t round;
};

static enum elm_status read_kept(const struct elm_cycle *c, uint32_t rounds, struct kept *kept,
                                 uint32_t *count, struct elm_error *err)
{
    enum elm_status status = ELM_OK;
    uint32_t each = c->def.count * c->def.seeds;
    *count = 0;
    for (uint32_t i = 0; i < rounds * each && status == ELM_OK; i++) {
        char name[48];
        struct elm_buf text = {0};
        uint32_t round = i / each + 1, at = i % each;
        snprintf(name, sizeof(name), "runs/p%03u-%u.c", at / c->def.seeds, at % c->def.seeds + 1);
        char *path = cycle_path_of(c, round, name);
        status = elm_file_read(path, TEXT_MAX, &text, err);
        free(path);
        if (status == ELM_OK)
            kept[(*count)++] = (struct kept){text.ptr, round};
        else
            elm_buf_release(&text);
    }
    return status;
}

/* The task's cases are laid out for its own head: a program with another one can't be run on them. */
static bool same_head(const struct elm_tree *a, const struct elm_tree *b, uint32_t params)
{
    if (a->count < params + 2 || b->count < params + 2)
        return false;
    for (uint32_t i = 1; i < params + 2; i++) {
        const struct elm_node *x = &a->nodes[i], *y = &b->nodes[i];
        if (x->kind != y->kind || x->type != y->type || x->kids != y->kids || x->i != y->i)
            return false;
    }
    return true;
}

static bool solves(const struct elm_task *t, const char *text, struct elm_vm_memory *vm)
{
    struct elm_tree tree;
    const struct elm_problem *p = &t->problem;
    if (text == NULL || elm_tree_parse(elm_str(text), p->names, &tree, NULL) != ELM_OK)
        return false;
    bool good = elm_tree_check(&tree, p->names, NULL) == ELM_OK &&
                same_head(&tree, &p->seed, p->io.param_count) &&
                elm_task_score(t, &tree, ELM_SET_SCORED, vm, NULL) >= 1;
    elm_tree_release(&tree);
    return good;
}

static bool counts(const struct elm_task *t, uint32_t round, const struct kept *kept,
                   uint32_t count, struct elm_vm_memory *vm)
{
    uint32_t i = 0;
    for (; i < count && kept[i].round < round; i++) {
        if (solves(t, kept[i].text, vm))
            return false;
    }
    for (; i < count; i++) {
        if (solves(t, kept[i].text, vm))
            return true;
    }
    return false;
}

enum elm_status cycle_annecs(struct elm_cycle *c, uint32_t rounds, struct elm_error *err)
{
    uint32_t count, sum = 0;
    struct kept *kept = elm_calloc((size_t)rounds * c->def.count * c->def.seeds, sizeof(*kept));
    struct elm_vm_memory *vm = elm_vm_memory_new();
    enum elm_status status = read_kept(c, rounds, kept, &count, err);
    for (uint32_t round = 1; round <= rounds && status == ELM_OK; round++) {
        struct elm_generator *g;
        status = cycle_generator(c, round, &g, err);
        for (uint32_t i = 0; i < c->def.count && status == ELM_OK; i++)
            sum += counts(elm_generator_task(g, (uint64_t)i * CYCLE_SPREAD), round, kept, count, vm);
        if (status == ELM_OK)
            elm_generator_close(g);
    }
    c->rounds[rounds - 1].annecs = sum;
    for (uint32_t i = 0; i < count; i++)
        free(kept[i].text);
    free(kept);
    elm_vm_memory_free(vm);
    return status;
}
