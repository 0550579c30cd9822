/* operator_rig: a problem from two texts, for tests of operators: the seed, and a program whose
 * outputs are wanted. */
#ifndef ELM_TESTS_OPERATOR_RIG_H
#define ELM_TESTS_OPERATOR_RIG_H

#include "elm/operator.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RIG_CASES 48
#define RIG_FUEL 5000

struct rig {
    struct elm_problem problem;
    struct elm_evidence evidence;
    struct elm_pool *pool;
    struct elm_vm_memory *vm;
    struct elm_arena arena;
    uint8_t *in, *want, *mask;
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    struct elm_parent parent;
    struct elm_parent seed;          /* as a second parent */
    uint8_t seed_editable[ELM_NODES_MAX / 8 + 1];
};

static struct elm_tree rig_parse(struct rig *r, const char *text)
{
    struct elm_tree t;
    struct elm_error err = {0};
    if (elm_tree_parse(elm_str(text), r->problem.names, &t, &err) != ELM_OK ||
        elm_tree_check(&t, r->problem.names, &err) != ELM_OK)
        fail_msg("%s: %s", text, err.message);
    return t;
}

/* io from the entry's parameters: arrays named out* are OUT, other arrays IN. */
static void rig_io(struct rig *r, const struct elm_tree *t)
{
    struct elm_io *io = &r->problem.io;
    uint32_t f = 1;
    for (uint32_t i = 1; i < t->count; i += t->nodes[i].size) {
        if (t->nodes[i].kind == ELM_NODE_FUNCTION)
            f = i;
    }
    snprintf(io->entry, sizeof(io->entry), "%s",
             elm_names_text(r->problem.names, t->nodes[f].name).ptr);
    io->returns = t->nodes[f].type;
    io->param_count = t->nodes[f].kids - 1u;
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_node *n = &t->nodes[f + 1 + i];
        struct elm_io_param *p = &io->params[i];
        struct elm_str name = elm_names_text(r->problem.names, n->name);
        *p = (struct elm_io_param){.type = n->type, .dims = {n->dims[0], n->dims[1]}};
        snprintf(p->name, sizeof(p->name), "%.*s", (int)name.len, name.ptr);
        p->direction = strncmp(p->name, "out", 3) == 0 ? ELM_IO_OUT : ELM_IO_IN;
    }
    struct elm_error err = {0};
    if (elm_io_layout(io, &err) != ELM_OK)
        fail_msg("%s", err.message);
}

static void rig_fill(const struct elm_io_param *p, uint8_t *in, struct elm_rng *rng)
{
    uint32_t count = (p->dims[0] > 0 ? p->dims[0] : 1) * (p->dims[1] > 0 ? p->dims[1] : 1);
    bool real = p->type == ELM_TYPE_DOUBLE || p->type == ELM_TYPE_DOUBLE_ARRAY;
    for (uint32_t i = 0; i < count && p->direction != ELM_IO_OUT; i++) {
        int32_t whole = (int32_t)elm_rng_range(rng, -20, 40);
        double number = elm_rng_normal(rng) * 5;
        if (real)
            memcpy(in + p->in_offset + 8 * (size_t)i, &number, 8);
        else
            memcpy(in + p->in_offset + 4 * (size_t)i, &whole, 4);
    }
}

/* Outputs of t on case c. */
static enum elm_vm_end rig_run(struct rig *r, const struct elm_tree *t, uint32_t c, void *out)
{
    struct elm_buf code = {0};
    struct elm_error err = {0};
    uint64_t steps;
    if (elm_vm_compile(t, r->problem.names, &r->problem.io, &code, &err) != ELM_OK)
        fail_msg("%s", err.message);
    enum elm_vm_end end = elm_vm_run(code.ptr, r->vm, r->in + (size_t)c * r->problem.io.in_bytes,
                                     out, RIG_FUEL, &steps);
    elm_buf_release(&code);
    return end;
}

/* target NULL: no outputs are wanted. */
static void rig_open(struct rig *r, const char *seed, const char *target)
{
    struct elm_rng rng = elm_rng(7, 7);
    memset(r, 0, sizeof(*r));
    r->problem = (struct elm_problem){.names = elm_names_new(), .fuel = RIG_FUEL, .nodes_max = 200,
                                      .edit_nodes_max = 20};
    r->vm = elm_vm_memory_new();
    r->pool = elm_pool_new();
    r->problem.seed = rig_parse(r, seed);
    rig_io(r, &r->problem.seed);
    const struct elm_io *io = &r->problem.io;
    r->in = elm_calloc(RIG_CASES, io->in_bytes);
    for (uint32_t c = 0; c < RIG_CASES; c++) {
        for (uint32_t i = 0; i < io->param_count; i++)
            rig_fill(&io->params[i], r->in + (size_t)c * io->in_bytes, &rng);
    }
    r->evidence = (struct elm_evidence){.case_count = RIG_CASES, .in = r->in};
    if (target != NULL) {
        struct elm_tree t = rig_parse(r, target);
        r->want = elm_calloc(RIG_CASES, io->out_bytes);
        r->mask = elm_malloc((size_t)RIG_CASES * io->out_bytes);
        memset(r->mask, 1, (size_t)RIG_CASES * io->out_bytes);
        for (uint32_t c = 0; c < RIG_CASES; c++)
            assert_int_equal(rig_run(r, &t, c, r->want + (size_t)c * io->out_bytes), ELM_VM_OK);
        elm_tree_release(&t);
        r->evidence.want = r->want;
        r->evidence.want_mask = r->mask;
    }
    r->parent = (struct elm_parent){.id = 1, .tree = &r->problem.seed, .editable = r->editable};
    r->parent.editable_count = elm_tree_editable(&r->problem.seed, r->problem.names, r->editable);
    r->seed = r->parent;
    r->seed.editable = r->seed_editable;
    memcpy(r->seed_editable, r->editable, sizeof(r->editable));
    elm_pool_add(r->pool, &r->problem.seed);
}

static void rig_close(struct rig *r)
{
    elm_tree_release(&r->problem.seed);
    elm_names_free(r->problem.names);
    elm_pool_free(r->pool);
    elm_vm_memory_free(r->vm);
    elm_arena_release(&r->arena);
    free(r->in);
    free(r->want);
    free(r->mask);
}

static struct elm_operator_context rig_context(struct rig *r)
{
    return (struct elm_operator_context){.problem = &r->problem, .evidence = &r->evidence,
                                         .pool = r->pool, .vm = r->vm, .arena = &r->arena};
}

/* Calls of an operator whose child is the target. */
static inline int rig_mended(const char *name, const char *seed, const char *target, uint64_t calls)
{
    const struct elm_operator_kind *op = elm_operator_find(name);
    struct rig r;
    int found = 0;
    rig_open(&r, seed, target);
    void *self = op->make != NULL ? op->make(&r.problem) : NULL;
    struct elm_operator_context context = rig_context(&r);
    struct elm_parents parents = {&r.parent, 1};
    for (uint64_t i = 0; i < calls; i++) {
        struct elm_rng rng = elm_rng(3, i);
        struct elm_edit edits[ELM_EDITS_MAX];
        struct elm_error err = {0};
        struct elm_tree child;
        struct elm_buf text = {0};
        uint32_t count;
        elm_arena_clear(&r.arena);
        assert_int_equal(op->mutate(self, &context, &parents, &rng, edits, &count, &err), ELM_OK);
        assert_int_equal(elm_tree_edit(r.parent.tree, edits, count, &child, &err), ELM_OK);
        elm_tree_print(&child, r.problem.names, &text);
        found += strcmp(text.ptr, target) == 0;
        elm_buf_release(&text);
        elm_tree_release(&child);
    }
    if (op->free != NULL)
        op->free(self);
    rig_close(&r);
    return found;
}

#endif
