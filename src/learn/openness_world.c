/* openness_world: a genealogy, and what a census of it counts. */
#include "learn/openness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BIN_LEAST 0x1p-20

uint32_t world_bin(double activity)
{
    double bin = floor(8 * log2(activity / BIN_LEAST));
    return !(bin > 0) ? 0 : bin >= WORLD_BINS ? WORLD_BINS - 1 : (uint32_t)bin;
}

double world_bin_value(uint32_t bin)
{
    return BIN_LEAST * exp2((bin + 0.5) / 8);
}

void world_release(struct world *w)
{
    free(w->kin);
    free(w->places);
    free(w->groups);
    free(w->census);
    free(w->stack);
    *w = (struct world){0};
}

static void need_census(struct world *w, uint32_t index)
{
    if (index < w->census_cap)
        return;
    uint32_t cap = index < 16 ? 32 : index * 2;
    w->census = elm_realloc(w->census, cap * sizeof(w->census[0]));
    memset(w->census + w->census_cap, 0, (cap - w->census_cap) * sizeof(w->census[0]));
    w->census_cap = cap;
}

static uint32_t take_slot(struct world *w)
{
    if (w->used > 0 && w->free != WORLD_NONE) {
        uint32_t slot = w->free;
        w->free = w->kin[slot].parent;
        return slot;
    }
    if (w->used == 0)
        w->free = WORLD_NONE;
    if (w->used == w->cap) {
        w->cap = w->cap == 0 ? 256 : w->cap * 2;
        w->kin = elm_realloc(w->kin, w->cap * sizeof(w->kin[0]));
        w->stack = elm_realloc(w->stack, w->cap * sizeof(w->stack[0]));
    }
    return w->used++;
}

static void push_place(struct world *w, uint32_t slot, uint32_t group)
{
    if (w->place_count == w->place_cap) {
        w->place_cap = w->place_cap == 0 ? 64 : w->place_cap * 2;
        w->places = elm_realloc(w->places, w->place_cap * sizeof(w->places[0]));
        w->groups = elm_realloc(w->groups, w->place_cap * sizeof(w->groups[0]));
    }
    ELM_ASSERT(group < ELM_CHANGE_GROUPS);
    w->kin[slot].place = w->place_count;
    w->groups[w->place_count] = (uint8_t)group;
    w->in_group[group]++;
    w->places[w->place_count++] = slot;
    w->kin[slot].places++;
}

static void leave(struct world *w, uint32_t place)
{
    struct kin *k = &w->kin[w->places[place]];
    k->places--;
    k->left = w->taken;
}

uint32_t world_add(struct world *w, int64_t id, uint32_t parent, uint32_t evicted, uint32_t nodes,
                   uint32_t group)
{
    uint32_t slot = take_slot(w);
    w->kin[slot] = (struct kin){.id = id, .parent = parent, .nodes = nodes, .born = w->taken};
    if (parent != WORLD_NONE)
        w->kin[parent].kids++;
    if (evicted == WORLD_NONE) {
        push_place(w, slot, group);
        return slot;
    }
    leave(w, evicted);
    w->places[evicted] = slot;
    w->kin[slot].place = evicted;
    w->kin[slot].places = 1;
    return slot;
}

uint32_t world_place(const struct world *w, uint32_t slot, uint32_t group)
{
    uint32_t place = w->kin[slot].place;
    if (place < w->place_count && w->places[place] == slot && w->groups[place] == group)
        return place;
    for (place = 0; place < w->place_count; place++) {
        if (w->places[place] == slot && w->groups[place] == group)
            return place;
    }
    return WORLD_NONE;
}

void world_copy(struct world *w, uint32_t slot, uint32_t group)
{
    push_place(w, slot, group);
}

void world_drop(struct world *w, uint32_t place)
{
    leave(w, place);
    w->in_group[w->groups[place]]--;
    w->places[place] = w->places[--w->place_count];
    w->groups[place] = w->groups[w->place_count];
    w->kin[w->places[place]].place = place;
}

/* Sums up from the leaves: a program is ready when all its children are. */
static void count_carriers(struct world *w)
{
    uint32_t ready = 0;
    for (uint32_t i = 0; i < w->used; i++) {
        struct kin *k = &w->kin[i];
        k->carriers = k->places;
        k->waiting = k->kids;
        if (k->id >= 0 && k->kids == 0)
            w->stack[ready++] = i;
    }
    while (ready > 0) {
        const struct kin *k = &w->kin[w->stack[--ready]];
        if (k->parent == WORLD_NONE)
            continue;
        struct kin *parent = &w->kin[k->parent];
        parent->carriers += k->carriers;
        if (--parent->waiting == 0)
            w->stack[ready++] = k->parent;
    }
}

static void come_of_age(struct world *w, uint32_t at, double activity)
{
    need_census(w, at);
    w->census[at].aged[world_bin(activity)]++;
}

static void count_activity(struct world *w, struct census *c)
{
    uint32_t bins[WORLD_BINS] = {0};
    for (uint32_t i = 0; i < w->used; i++) {
        struct kin *k = &w->kin[i];
        if (k->id < 0)
            continue;
        k->activity += (float)k->carriers / (float)w->place_count;
        if (w->taken + 1 - k->born == ELM_OPENNESS_AGE)
            c->aged[world_bin((double)k->activity)]++;
        if (k->carriers == 0)
            continue;
        c->diversity++;
        c->activity += (double)k->activity;
        bins[world_bin((double)k->activity)]++;
    }
    uint32_t bin = 0, below = bins[0];
    while (bin + 1 < WORLD_BINS && 2 * below < c->diversity)
        below += bins[++bin];
    c->median = c->diversity == 0 ? NAN : world_bin_value(bin);
}

/* Counts in `carriers` the places that descend from each member of the last point, and from no
 * later one. */
static void count_kept(struct world *w)
{
    for (uint32_t i = 0; i < w->used; i++)
        w->kin[i].carriers = 0;
    for (uint32_t i = 0; i < w->place_count; i++) {
        uint32_t slot = w->places[i];
        while (slot != WORLD_NONE && w->kin[slot].member != w->modes)
            slot = w->kin[slot].parent;
        if (slot != WORLD_NONE)
            w->kin[slot].carriers++;
    }
}

static void count_modes(struct world *w, struct census *c)
{
    uint32_t kept = 0;
    double sum = 0;
    count_kept(w);
    c->modes = true;
    for (uint32_t i = 0; i < w->used; i++) {
        struct kin *k = &w->kin[i];
        if (k->id < 0 || k->carriers == 0)
            continue;
        kept += k->carriers;
        sum += k->carriers * log2(k->carriers);
        c->change += k->passed == 0 || k->passed + 1 != w->modes;
        c->novelty += k->passed == 0;
        c->complexity = k->nodes > c->complexity ? k->nodes : c->complexity;
        k->passed = w->modes;
    }
    c->ecology = kept == 0 ? 0 : fmax(0, log2(kept) - sum / kept);
}

static void forget(struct world *w, uint32_t slot, void (*forgotten)(void *ctx, int64_t id),
                   void *ctx)
{
    while (slot != WORLD_NONE) {
        struct kin *k = &w->kin[slot];
        uint32_t parent = k->parent;
        if (k->places > 0 || k->kids > 0 || k->left + 1 >= w->taken)
            return;
        if (w->taken < k->born + ELM_OPENNESS_AGE)
            come_of_age(w, k->born + ELM_OPENNESS_AGE - 1, (double)k->activity);
        if (forgotten != NULL)
            forgotten(ctx, k->id);
        *k = (struct kin){.id = -1, .parent = w->free};
        w->free = slot;
        if (parent != WORLD_NONE)
            w->kin[parent].kids--;
        slot = parent;
    }
}

void world_census(struct world *w, uint64_t evaluations, void (*forgotten)(void *ctx, int64_t id),
                  void *ctx)
{
    need_census(w, w->taken);
    struct census *c = &w->census[w->taken];
    c->evaluations = evaluations;
    c->elites = w->place_count;
    count_carriers(w);
    count_activity(w, c);
    w->taken++;
    if (w->taken % ELM_OPENNESS_AGE == 0) {
        if (w->modes > 0)
            count_modes(w, c);
        w->modes++;
        for (uint32_t i = 0; i < w->place_count; i++)
            w->kin[w->places[i]].member = w->modes;
    }
    for (uint32_t i = 0; i < w->used; i++) {
        if (w->kin[i].id >= 0)
            forget(w, i, forgotten, ctx);
    }
}
