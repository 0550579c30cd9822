/* edits_draw: one lesson: a label, a run and an item drawn, and its two programs made. */
#include "learn/edits.h"
#include "learn/sketch.h"

#include <stdlib.h>
#include <string.h>

#define BROKEN_MAX 3
#define CASES_COMPARED 4
#define TRIES 8                  /* to break an elite somewhere */

struct elm_edits_memory {
    struct elm_tree child;       /* or the broken elite */
    struct elm_arena arena;
    struct elm_edit edits[ELM_EDITS_MAX];
    struct elm_vm_memory *vm;
    struct elm_buf code[2];
    struct sketch_tree sketch, broken;
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
};

struct elm_edits_memory *elm_edits_memory_new(void)
{
    struct elm_edits_memory *m = elm_calloc(1, sizeof(*m));
    m->vm = elm_vm_memory_new();
    return m;
}

void elm_edits_memory_free(struct elm_edits_memory *m)
{
    if (m == NULL)
        return;
    elm_tree_release(&m->child);
    elm_arena_release(&m->arena);
    elm_vm_memory_free(m->vm);
    elm_buf_release(&m->code[0]);
    elm_buf_release(&m->code[1]);
    free(m);
}

/* ---- the child of an attempt ---- */

/* m->child by the stored edits; false: there are none, or they don't build. */
static bool apply_edits(const struct edits_run *r, struct elm_edits_memory *m,
                        const struct edits_attempt *a, const struct elm_tree *from,
                        uint32_t *count)
{
    elm_arena_clear(&m->arena);
    elm_tree_release(&m->child);
    return a->edit_len > 0 &&
           elm_edits_decode(r->bytes.ptr + a->edit_at, a->edit_len, m->edits, count, &m->arena,
                            NULL) == ELM_OK &&
           elm_tree_edit(from, m->edits, *count, &m->child, NULL) == ELM_OK &&
           elm_tree_check(&m->child, r->problem->names, NULL) == ELM_OK;
}

static bool make_child(const struct edits_run *r, struct elm_edits_memory *m,
                       const struct edits_attempt *a, struct elm_edits_lesson *out)
{
    bool built = apply_edits(r, m, a, out->exercise.from, &out->edit_count);
    if (built)
        out->edits = m->edits;
    else
        out->edit_count = 0;
    out->exercise.to = a->program != EDITS_NONE ? &r->programs[a->program].tree : &m->child;
    return built || a->program != EDITS_NONE;
}

/* ---- elites broken on purpose ---- */

/* A function with something that may be changed, as a program of its own. */
static uint32_t take_function(const struct elm_tree *t, const uint8_t *editable,
                              struct elm_rng *rng, struct sketch_tree *out)
{
    uint32_t chosen = UINT32_MAX, seen = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if ((editable[i / 8] >> (i % 8) & 1) == 0 || elm_rng_below(rng, ++seen) > 0)
            continue;
        chosen = elm_tree_function(t, i);
    }
    if (chosen == UINT32_MAX || t->nodes[chosen].size + 1 > SKETCH_NODES_MAX)
        return UINT32_MAX;
    out->count = t->nodes[chosen].size + 1;
    out->nodes[0] = (struct elm_node){.kind = ELM_NODE_PROGRAM, .kids = 1, .size = out->count};
    memcpy(out->nodes + 1, t->nodes + chosen, (out->count - 1) * sizeof(out->nodes[0]));
    return chosen;
}

/* m->child with one mistake more. */
static bool break_once(const struct edits_run *r, struct elm_edits_memory *m, struct elm_rng *rng)
{
    elm_tree_editable(&m->child, r->problem->names, m->editable);
    uint32_t function = take_function(&m->child, m->editable, rng, &m->sketch);
    struct elm_tree broken;
    if (function == UINT32_MAX ||
        sketch_corrupt(rng, SKETCH_SMALL, &m->sketch, &m->broken) == SKETCH_NOTHING)
        return false;
    struct elm_edit edit = elm_edit_replace(&m->child, function, m->broken.nodes + 1,
                                            m->broken.count - 1);
    if (elm_tree_edit(&m->child, &edit, 1, &broken, NULL) != ELM_OK)
        return false;
    if (elm_tree_check(&broken, r->problem->names, NULL) != ELM_OK) {
        elm_tree_release(&broken);
        return false;
    }
    elm_tree_release(&m->child);
    m->child = broken;
    return true;
}

/* Does it compute something else, where that can be told? */
static bool differs(const struct edits_run *r, struct elm_edits_memory *m,
                    const struct elm_tree *a, const struct elm_tree *b)
{
    const struct elm_io *io = &r->problem->io;
    const struct elm_tree *trees[2] = {a, b};
    uint32_t cases = r->evidence.case_count < CASES_COMPARED ? r->evidence.case_count
                                                             : CASES_COMPARED;
    if (elm_tree_hash(a) == elm_tree_hash(b))
        return false;
    for (int k = 0; k < 2; k++) {
        elm_buf_clear(&m->code[k]);
        if (elm_vm_compile(trees[k], r->problem->names, io, &m->code[k], NULL) != ELM_OK)
            return true;
    }
    uint8_t *out = elm_malloc(2 * (size_t)io->out_bytes);
    bool same = cases > 0;
    for (uint32_t c = 0; c < cases && same; c++) {
        enum elm_vm_end ends[2];
        uint64_t steps;
        memset(out, 0, 2 * (size_t)io->out_bytes);
        for (int k = 0; k < 2; k++)
            ends[k] = elm_vm_run(m->code[k].ptr, m->vm,
                                 (const uint8_t *)r->evidence.in + (size_t)c * io->in_bytes,
                                 out + (size_t)k * io->out_bytes, r->problem->fuel, &steps);
        same = ends[0] == ends[1] && memcmp(out, out + io->out_bytes, io->out_bytes) == 0;
    }
    free(out);
    return !same;
}

static bool break_elite(const struct edits_run *r, struct elm_edits_memory *m,
                        const struct elm_tree *elite, struct elm_rng *rng,
                        struct elm_edits_lesson *out)
{
    uint32_t mistakes = 1 + elm_rng_below(rng, BROKEN_MAX), made = 0;
    elm_tree_release(&m->child);
    m->child = elm_tree_copy(elite);
    for (uint32_t i = 0; i < TRIES * mistakes && made < mistakes; i++)
        made += break_once(r, m, rng);
    out->exercise.from = &m->child;
    out->exercise.to = elite;
    return made == mistakes && differs(r, m, &m->child, elite);
}

/* ---- drawing ---- */

static enum elm_edit_label draw_label(const struct elm_edits *e, struct elm_rng *rng)
{
    int chosen = 0;
    uint32_t seen = 0;
    for (int k = 0; k < ELM_LABELS; k++) {
        if (e->wanted[k] && elm_rng_below(rng, ++seen) == 0)
            chosen = k;
    }
    return (enum elm_edit_label)chosen;
}

static const struct edits_run *draw_run(const struct elm_edits *e, enum elm_edit_label label,
                                        struct elm_rng *rng)
{
    const struct edits_run *chosen = NULL;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < e->run_count; i++) {
        if (e->runs[i].item_count[label] > 0 && elm_rng_below(rng, ++seen) == 0)
            chosen = &e->runs[i];
    }
    return chosen;
}

static const struct edits_item *draw_item(const struct elm_edits *e, const struct edits_run *r,
                                          enum elm_edit_label label, struct elm_rng *rng)
{
    const struct edits_item *items = e->items + r->first_item[label];
    uint32_t lo = 0, hi = r->item_count[label] - 1;
    double at = elm_rng_unit(rng) * items[hi].sum;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (items[mid].sum > at)
            hi = mid;
        else
            lo = mid + 1;
    }
    return &items[lo];
}

bool elm_edits_draw(const struct elm_edits *e, struct elm_edits_memory *m, struct elm_rng *rng,
                    struct elm_edits_lesson *out)
{
    *out = (struct elm_edits_lesson){.label = draw_label(e, rng)};
    const struct edits_run *r = draw_run(e, out->label, rng);
    const struct edits_item *item = draw_item(e, r, out->label, rng);
    const struct elm_tree *from = &r->programs[item->from].tree;
    out->coefficient = (double)item->coefficient;
    out->exercise = (struct elm_nano_exercise){
        .from = from, .names = r->problem->names, .io = &r->problem->io,
        .evidence = r->evidence.case_count > 0 ? &r->evidence : NULL, .fuel = r->problem->fuel,
        .editable = m->editable, .whole = true,
    };
    bool made = true;
    if (out->label == ELM_LABEL_ELITES)
        made = break_elite(r, m, from, rng, out);
    else if (item->attempt != EDITS_NONE)
        made = make_child(r, m, &e->attempts[item->attempt], out);
    else
        out->exercise.to = &r->programs[item->to].tree;
    elm_tree_editable(out->exercise.from, r->problem->names, m->editable);
    return made;
}
