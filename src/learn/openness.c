/* openness: the run and its shadows, told the same births and deaths. */
#include "learn/openness.h"

#include <stdlib.h>
#include <string.h>

/* Beyond so many they get rarer as the run gets longer, so that their number stays small. */
#define CENSUSES 256

struct known {
    int64_t id;                  /* -1: empty */
    uint32_t slot;
};
struct elm_openness {
    struct elm_openness_def def;
    struct world run;
    struct known *known;         /* the run's programs by id; a power of two of slots */
    uint32_t known_cap, known_count;
    struct world shadows[ELM_OPENNESS_SHADOWS_MAX];
    struct elm_rng rng[ELM_OPENNESS_SHADOWS_MAX];
    uint64_t next;               /* census, in evaluations */
};

struct elm_openness_def elm_default_openness_def(void)
{
    return (struct elm_openness_def){.interval = 4096, .shadows = 16, .seed = 1};
}

struct elm_openness *elm_openness_new(const struct elm_openness_def *def)
{
    ELM_ASSERT(def->interval > 0 && def->shadows > 1 && def->shadows <= ELM_OPENNESS_SHADOWS_MAX);
    struct elm_openness *o = elm_calloc(1, sizeof(*o));
    o->def = *def;
    o->next = def->interval;
    for (uint32_t i = 0; i < def->shadows; i++)
        o->rng[i] = elm_rng(def->seed, i);
    return o;
}

void elm_openness_free(struct elm_openness *o)
{
    if (o == NULL)
        return;
    world_release(&o->run);
    for (uint32_t i = 0; i < o->def.shadows; i++)
        world_release(&o->shadows[i]);
    free(o->known);
    free(o);
}

/* The id's place in the table, or the empty one where it belongs. */
static uint32_t known_at(const struct elm_openness *o, int64_t id)
{
    uint32_t mask = o->known_cap - 1, at = (uint32_t)elm_hash_mix((uint64_t)id, 1) & mask;
    while (o->known[at].id >= 0 && o->known[at].id != id)
        at = (at + 1) & mask;
    return at;
}

static uint32_t find(const struct elm_openness *o, int64_t id)
{
    if (id < 0 || o->known_cap == 0)
        return WORLD_NONE;
    const struct known *k = &o->known[known_at(o, id)];
    return k->id == id ? k->slot : WORLD_NONE;
}

static void grow_known(struct elm_openness *o)
{
    struct known *old = o->known;
    uint32_t old_cap = o->known_cap;
    o->known_cap = old_cap == 0 ? 256 : old_cap * 2;
    o->known = elm_malloc(o->known_cap * sizeof(o->known[0]));
    memset(o->known, 0xff, o->known_cap * sizeof(o->known[0]));
    for (uint32_t i = 0; i < old_cap; i++) {
        if (old[i].id >= 0)
            o->known[known_at(o, old[i].id)] = old[i];
    }
    free(old);
}

static void remember(struct elm_openness *o, int64_t id, uint32_t slot)
{
    if ((o->known_count + 1) * 2 > o->known_cap)
        grow_known(o);
    o->known[known_at(o, id)] = (struct known){id, slot};
    o->known_count++;
}

static void forgotten(void *ctx, int64_t id)
{
    struct elm_openness *o = ctx;
    uint32_t mask = o->known_cap - 1, hole = known_at(o, id);
    o->known[hole].id = -1;
    o->known_count--;
    /* backward-shift deletion keeps every probe sequence whole */
    for (uint32_t at = (hole + 1) & mask; o->known[at].id >= 0; at = (at + 1) & mask) {
        struct known moved = o->known[at];
        o->known[at].id = -1;
        o->known[known_at(o, moved.id)] = moved;
    }
}

/* A place of a shadow's group, drawn at random: by rejection, since groups are few. */
static uint32_t draw_place(struct elm_openness *o, uint32_t shadow, uint32_t group)
{
    const struct world *w = &o->shadows[shadow];
    ELM_ASSERT(w->in_group[group] > 0);
    uint32_t place;
    do {
        place = elm_rng_below(&o->rng[shadow], w->place_count);
    } while (w->groups[place] != group);
    return place;
}

/* The place of a shadow that dies when `place` does in the run: with deaths at the same places all worlds
 * number theirs alike. */
static uint32_t death(struct elm_openness *o, uint32_t shadow, uint32_t group, uint32_t place)
{
    return o->def.same_places ? place : draw_place(o, shadow, group);
}

static void copy_place(struct elm_openness *o, uint32_t slot, uint32_t group)
{
    world_copy(&o->run, slot, group);
    for (uint32_t i = 0; i < o->def.shadows; i++) {
        struct world *w = &o->shadows[i];
        world_copy(w, w->places[elm_rng_below(&o->rng[i], w->place_count)], group);
    }
}

static void add(struct elm_openness *o, const struct elm_change *c)
{
    uint32_t known = find(o, c->id);
    if (known != WORLD_NONE) {
        /* one of several places of an elite that a run goes on with */
        copy_place(o, known, c->group);
        return;
    }
    uint32_t parent = find(o, c->parent), evicted = find(o, c->evicted);
    uint32_t place = evicted == WORLD_NONE ? WORLD_NONE : world_place(&o->run, evicted, c->group);
    bool displaces = place != WORLD_NONE;
    remember(o, c->id, world_add(&o->run, c->id, parent, place, c->nodes, c->group));
    for (uint32_t i = 0; i < o->def.shadows; i++) {
        struct world *w = &o->shadows[i];
        uint32_t from = WORLD_NONE;
        if (parent != WORLD_NONE && w->in_group[c->group] > 0)
            from = w->places[draw_place(o, i, c->group)];
        uint32_t to = displaces ? death(o, i, c->group, place) : WORLD_NONE;
        world_add(w, c->id, from, to, c->nodes, c->group);
    }
}

static void drop(struct elm_openness *o, uint32_t slot, uint32_t group)
{
    uint32_t place = world_place(&o->run, slot, group);
    if (place == WORLD_NONE || o->run.place_count == 1)
        return;
    world_drop(&o->run, place);
    for (uint32_t i = 0; i < o->def.shadows; i++)
        world_drop(&o->shadows[i], death(o, i, group, place));
}

static void take_census(struct elm_openness *o, uint64_t evaluations)
{
    world_census(&o->run, evaluations, forgotten, o);
    for (uint32_t i = 0; i < o->def.shadows; i++)
        world_census(&o->shadows[i], evaluations, NULL, NULL);
    uint64_t sparse = evaluations / CENSUSES, step = o->def.interval;
    step = sparse > step ? sparse : step;
    o->next = (evaluations / step + 1) * step;
}

void elm_openness_tell(void *ctx, const struct elm_change *c)
{
    struct elm_openness *o = ctx;
    uint32_t slot = find(o, c->id);
    switch (c->kind) {
    case ELM_CHANGE_ADDED:
        if (c->id >= 0)
            add(o, c);
        break;
    case ELM_CHANGE_COPIED:
        if (slot != WORLD_NONE)
            copy_place(o, slot, c->group);
        break;
    case ELM_CHANGE_DROPPED:
        if (slot != WORLD_NONE)
            drop(o, slot, c->group);
        break;
    case ELM_CHANGE_BATCH:
        if (c->evaluations >= o->next && o->run.place_count > 0)
            take_census(o, c->evaluations);
        break;
    }
}

static bool newest_progress(void *ctx, const struct elm_progress_row *row)
{
    *(int64_t *)ctx = row->evaluations;
    return true;
}

enum elm_status elm_openness_read(const char *folder, const char *problems_path,
                                  const struct elm_openness_def *def, struct elm_openness **out,
                                  struct elm_error *err)
{
    struct elm_openness_def d = *def;
    if (d.interval == 0) {
        struct elm_store *store;
        int64_t evaluations = 0;
        ELM_TRY(elm_store_open(folder, ELM_STORE_READ, &store, err));
        enum elm_status status = elm_store_each_progress(store, newest_progress, &evaluations, err);
        elm_store_close(store, NULL);
        ELM_TRY(status);
        d.interval = (uint64_t)evaluations / 64;
        if (d.interval < ELM_OPENNESS_INTERVAL_MIN)
            d.interval = ELM_OPENNESS_INTERVAL_MIN;
    }
    struct elm_openness *o = elm_openness_new(&d);
    enum elm_status status = elm_search_retell(folder, problems_path, elm_openness_tell, o, err);
    if (status != ELM_OK) {
        elm_openness_free(o);
        return status;
    }
    *out = o;
    return ELM_OK;
}

const struct world *openness_run(const struct elm_openness *o)
{
    return &o->run;
}

const struct world *openness_shadows(const struct elm_openness *o, uint32_t *count)
{
    *count = o->def.shadows;
    return o->shadows;
}
