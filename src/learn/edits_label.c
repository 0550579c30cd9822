/* edits_label: which attempts, and which programs of a run, are lessons of which label. */
#include "learn/edits.h"

#include <math.h>
#include <stdlib.h>

#define BINS 8                   /* of the parents' fitness */
#define JUMP_MIN 2               /* edits of a path */
#define JUMP_MAX 6

/* ---- the control ---- */

static void swap_doubles(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

static void swap_bytes(uint8_t *a, uint8_t *b)
{
    uint8_t kept = *a;
    *a = *b;
    *b = kept;
}

void edits_shuffle(struct elm_edits *e, struct edits_run *r, struct elm_rng *rng)
{
    for (uint32_t i = r->attempt_count; i > 1; i--) {
        struct edits_attempt *a = &e->attempts[r->first_attempt + i - 1];
        struct edits_attempt *b = &e->attempts[r->first_attempt + elm_rng_below(rng, i)];
        swap_bytes(&a->outcome, &b->outcome);
        swap_bytes(&a->better, &b->better);
        swap_bytes(&a->status, &b->status);
        swap_doubles(&a->fitness, &b->fitness);
        swap_doubles(&a->improvement, &b->improvement);
    }
    for (uint32_t i = r->program_count; i > 1; i--) {
        struct edits_program *a = &r->programs[i - 1];
        struct edits_program *b = &r->programs[elm_rng_below(rng, i)];
        bool elite = a->elite;
        a->elite = b->elite;
        b->elite = elite;
        swap_doubles(&a->fitness, &b->fitness);
    }
}

/* ---- items ---- */

static struct edits_item *add(struct elm_edits *e, struct edits_run *r, enum elm_edit_label label)
{
    if ((e->item_count & (e->item_count - 1)) == 0)
        e->items = elm_realloc(e->items, (e->item_count == 0 ? 1 : 2 * (size_t)e->item_count) *
                                             sizeof(e->items[0]));
    if (r->item_count[label]++ == 0)
        r->first_item[label] = e->item_count;
    e->items[e->item_count] = (struct edits_item){.to = EDITS_NONE, .attempt = EDITS_NONE,
                                                  .coefficient = 1};
    return &e->items[e->item_count++];
}

/* Sums of the weights, which stand in `sum`. */
static void add_up(struct elm_edits *e, const struct edits_run *r, enum elm_edit_label label)
{
    double sum = 0;
    for (uint32_t i = 0; i < r->item_count[label]; i++) {
        struct edits_item *item = &e->items[r->first_item[label] + i];
        item->sum = sum += item->sum;
    }
}

/* Every bin of the parents' fitness is drawn as often. */
static void balance(struct elm_edits *e, const struct edits_run *r, enum elm_edit_label label)
{
    double lo = INFINITY, hi = -INFINITY;
    uint32_t counts[BINS] = {0};
    for (int pass = 0; pass < 3; pass++) {
        for (uint32_t i = 0; i < r->item_count[label]; i++) {
            struct edits_item *item = &e->items[r->first_item[label] + i];
            double fitness = r->programs[item->from].fitness;
            if (pass == 0) {
                lo = fmin(lo, fitness);
                hi = fmax(hi, fitness);
                continue;
            }
            double share = hi > lo ? (fitness - lo) / (hi - lo) : 0;
            uint32_t bin = share >= 1 ? BINS - 1 : share > 0 ? (uint32_t)(BINS * share) : 0;
            if (pass == 1)
                counts[bin]++;
            else
                item->sum = 1.0 / counts[bin];
        }
    }
}

static bool teaches(const struct edits_attempt *a)
{
    return a->edit_len > 0 || a->program != EDITS_NONE;
}

static void label_good(struct elm_edits *e, struct edits_run *r)
{
    for (uint32_t i = 0; i < r->attempt_count; i++) {
        const struct edits_attempt *a = &e->attempts[r->first_attempt + i];
        if (!teaches(a) || (a->better != ELM_BETTER_YES && a->outcome == ELM_OUTCOME_REJECTED))
            continue;
        struct edits_item *item = add(e, r, ELM_LABEL_GOOD);
        item->from = a->parent;
        item->attempt = r->first_attempt + i;
    }
    balance(e, r, ELM_LABEL_GOOD);
}

struct child {
    uint32_t parent, attempt;
    double improvement, reward;
};

static int by_parent(const void *a, const void *b)
{
    const struct child *x = a, *y = b;
    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    if (x->improvement != y->improvement)
        return x->improvement < y->improvement ? -1 : 1;
    return x->attempt < y->attempt ? -1 : x->attempt > y->attempt;
}

/* Children of one parent in order of improvement: their ranks from 0 to 1, the mean of equal ones. */
static void rank(struct child *c, uint32_t count)
{
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && c[end].improvement == c[i].improvement;)
            end++;
        for (uint32_t k = i; k < end; k++)
            c[k].reward = count > 1 ? 0.5 * (i + end - 1) / (count - 1) : 0;
    }
}

static void add_group(struct elm_edits *e, struct edits_run *r, enum elm_edit_label label,
                      struct child *c, uint32_t count)
{
    double mean = 0;
    if (label == ELM_LABEL_GRADED)
        rank(c, count);
    for (uint32_t i = 0; i < count; i++)
        mean += c[i].reward / count;
    for (uint32_t i = 0; i < count; i++) {
        double gain = c[i].reward - mean;
        if (fabs(gain) < 1e-9)
            continue;
        struct edits_item *item = add(e, r, label);
        item->from = c[i].parent;
        item->attempt = c[i].attempt;
        item->coefficient = gain > 0 ? 1 : -1;
        item->sum = fabs(gain);
    }
}

static void label_groups(struct elm_edits *e, struct edits_run *r, enum elm_edit_label label)
{
    struct child *all = elm_malloc((r->attempt_count + 1) * sizeof(*all));
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->attempt_count; i++) {
        const struct edits_attempt *a = &e->attempts[r->first_attempt + i];
        if (teaches(a))
            all[count++] = (struct child){a->parent, r->first_attempt + i, a->improvement,
                                          a->better == ELM_BETTER_YES};
    }
    qsort(all, count, sizeof(*all), by_parent);
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && all[end].parent == all[i].parent;)
            end++;
        add_group(e, r, label, all + i, end - i);
    }
    free(all);
}

static void label_jumps(struct elm_edits *e, struct edits_run *r)
{
    for (uint32_t i = 0; i < r->program_count; i++) {
        uint32_t from = r->programs[i].parent;
        for (int steps = 1; steps <= JUMP_MAX && from != EDITS_NONE; steps++) {
            if (steps >= JUMP_MIN && r->programs[i].fitness > r->programs[from].fitness) {
                struct edits_item *item = add(e, r, ELM_LABEL_JUMP);
                item->from = from;
                item->to = i;
            }
            from = r->programs[from].parent;
        }
    }
    balance(e, r, ELM_LABEL_JUMP);
}

static void label_elites(struct elm_edits *e, struct edits_run *r)
{
    for (uint32_t i = 0; i < r->program_count; i++) {
        if (!r->programs[i].elite)
            continue;
        struct edits_item *item = add(e, r, ELM_LABEL_ELITES);
        item->from = i;
        item->sum = 1;
    }
}

void edits_label(struct elm_edits *e, struct edits_run *r)
{
    if (e->wanted[ELM_LABEL_GOOD])
        label_good(e, r);
    if (e->wanted[ELM_LABEL_BINARY])
        label_groups(e, r, ELM_LABEL_BINARY);
    if (e->wanted[ELM_LABEL_GRADED])
        label_groups(e, r, ELM_LABEL_GRADED);
    if (e->wanted[ELM_LABEL_JUMP])
        label_jumps(e, r);
    if (e->wanted[ELM_LABEL_ELITES])
        label_elites(e, r);
    for (int k = 0; k < ELM_LABELS; k++)
        add_up(e, r, (enum elm_edit_label)k);
}
