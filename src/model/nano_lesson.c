/* nano_lesson: a program to mend and the edit that mends it, as rows and targets. */
#include "model/nano.h"

#include <stdlib.h>
#include <string.h>

struct elm_nano_teacher {
    struct nano_program program;
    struct nano_differ *differ;
    struct nano_reader *reader;
    struct nano_label label;
    struct elm_tree between;     /* some holes filled */
    struct elm_arena arena;
};

struct elm_nano_teacher *elm_nano_teacher_new(void)
{
    struct elm_nano_teacher *t = elm_calloc(1, sizeof(*t));
    t->differ = nano_differ_new();
    t->reader = nano_reader_new();
    return t;
}

void elm_nano_teacher_free(struct elm_nano_teacher *t)
{
    if (t == NULL)
        return;
    nano_program_release(&t->program);
    nano_differ_free(t->differ);
    nano_reader_free(t->reader);
    elm_tree_release(&t->between);
    elm_arena_release(&t->arena);
    free(t);
}

struct elm_nano_lesson *elm_nano_lesson_new(void)
{
    return elm_calloc(1, sizeof(struct elm_nano_lesson));
}

void elm_nano_lesson_free(struct elm_nano_lesson *l)
{
    if (l == NULL)
        return;
    nano_prefix_release(&l->prefix);
    free(l);
}

void elm_nano_lesson_weigh(struct elm_nano_lesson *l, double coefficient)
{
    l->coefficient = (float)coefficient;
}

/* Fills some of the holes and begins again from there. */
static bool go_halfway(struct elm_nano_teacher *t, const struct elm_nano_exercise *e,
                       struct elm_rng *rng)
{
    struct nano_hole some[NANO_HOLES_MAX];
    struct elm_edit edits[NANO_HOLES_MAX];
    uint32_t count = 0;
    for (uint32_t k = 0; k < t->label.count; k++) {
        if (elm_rng_chance(rng, 0.5))
            some[count++] = t->label.holes[k];
    }
    if (count == 0 || count == t->label.count)
        return true;
    elm_arena_clear(&t->arena);
    uint32_t made = nano_edits(&t->program, some, count, &t->arena, edits);
    struct elm_tree child;
    if (elm_tree_edit(e->from, edits, made, &child, NULL) != ELM_OK)
        return true;
    if (elm_tree_check(&child, e->names, NULL) != ELM_OK) {
        elm_tree_release(&child);
        return true;
    }
    elm_tree_release(&t->between);
    t->between = child;
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    elm_tree_editable(&t->between, e->names, editable);
    nano_program_read(&t->program, &t->between, e->names, editable);
    return nano_differ_find(t->differ, &t->program, e->to, rng, &t->label);
}

static struct nano_step *add_step(struct elm_nano_lesson *l)
{
    uint32_t k = l->step_count++;
    l->point[k] = false;
    l->learn[k] = true;
    l->from[k] = 0;
    l->not[k] = UINT16_MAX;
    return &l->steps[k];
}

static void aim(struct elm_nano_lesson *l, const struct nano_label *label, uint32_t hole)
{
    uint32_t k = l->step_count - 1, not = UINT32_MAX, from = 0;
    const struct nano_program *p = label->holes[0].spot->program;
    l->point[k] = true;
    if (hole > 0)
        from = nano_hole_next(&label->holes[hole - 1], &not);
    while (from < p->tree->count && l->prefix.row[from] == UINT16_MAX)
        from++;
    l->from[k] = from < p->tree->count ? l->prefix.row[from] : (uint16_t)l->prefix.node_count;
    if (not != UINT32_MAX)
        l->not[k] = l->prefix.row[not];
    if (hole < label->count) {
        l->targets[k] = l->prefix.row[label->holes[hole].spot->at];
        /* what was left out on the way can't be told from what need not be done */
        l->learn[k] = label->whole || hole == 0;
        return;
    }
    l->targets[k] = (uint16_t)l->prefix.node_count;
    l->learn[k] = label->whole && hole < NANO_HOLES_MAX;
}

static void write_steps(struct elm_nano_lesson *l, const struct nano_label *label)
{
    l->step_count = 0;
    nano_step_start(add_step(l));
    for (uint32_t h = 0; h < label->count; h++) {
        struct nano_hole again;
        nano_hole_open(&again, label->holes[h].spot, label->holes[h].room);
        aim(l, label, h);
        nano_step_point(add_step(l), &l->prefix, &again, h);
        for (uint32_t k = 0; k < label->holes[h].count; k++) {
            uint32_t at = l->step_count - 1;
            nano_hole_mask(&again, &l->masks[at]);
            l->targets[at] = label->holes[h].tokens[k];
            nano_hole_put(&again, l->targets[at]);
            nano_step_token(add_step(l), &l->prefix, &again, h);
        }
    }
    aim(l, label, label->count);
}

bool elm_nano_teach(struct elm_nano_teacher *t, const struct elm_nano_exercise *e,
                    struct elm_rng *rng, struct elm_vm_memory *vm, struct elm_nano_lesson *out)
{
    out->step_count = 0;
    out->coefficient = 1;
    out->empty = true;
    nano_program_read(&t->program, e->from, e->names, e->editable);
    if (!nano_differ_find(t->differ, &t->program, e->to, rng, &t->label))
        return false;
    if (e->whole && !t->label.whole)
        return false;
    if (t->label.count > 1 && elm_rng_chance(rng, e->halfway) && !go_halfway(t, e, rng))
        return false;
    nano_read(t->reader, &t->program, e->io, e->fuel, e->evidence, e->opaque, vm, &out->prefix);
    for (uint32_t h = 0; h < t->label.count; h++) {
        if (out->prefix.row[t->label.holes[h].spot->at] == UINT16_MAX)
            return false;
    }
    write_steps(out, &t->label);
    out->empty = false;
    return true;
}
