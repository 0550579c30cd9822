/*
 * openness: the genealogy of one archive, real or shadow, and its censuses. Private to
 * src/learn/openness*.c.
 *
 * Kept are the programs in places of the archive and their ancestors; whatever has no place and no
 * descendant left is forgotten two censuses later, so that memory goes with what coalesces, not
 * with the length of the run.
 */
#ifndef ELM_LEARN_OPENNESS_H
#define ELM_LEARN_OPENNESS_H

#include "elm/openness.h"

#define WORLD_NONE UINT32_MAX
#define WORLD_BINS 256           /* of activity, eight an octave */

struct kin {
    int64_t id;                  /* -1: a free slot */
    uint32_t parent;             /* slot; WORLD_NONE */
    uint32_t kids, places;
    uint32_t place;              /* one of them: a guess, for it may have gone */
    uint32_t nodes;
    uint32_t born, left;         /* censuses before its birth, and when it last lost a place */
    uint32_t member, passed;     /* MODES points: the last as an elite, the last with descendants */
    uint32_t carriers, waiting;  /* of one census */
    float activity;
};

struct census {
    uint64_t evaluations;
    uint32_t elites, diversity;
    double activity, median;
    bool modes;
    uint32_t change, novelty, complexity;
    double ecology;
    /* components that came of age at it, by activity */
    uint32_t aged[WORLD_BINS];
};

struct world {
    struct kin *kin;
    uint32_t cap, used, free;    /* slots; free: the first of a list through `parent` */
    uint32_t *places;            /* slots of the elites, one for each place */
    uint8_t *groups;             /* of the places */
    uint32_t place_count, place_cap;
    uint32_t in_group[ELM_CHANGE_GROUPS];      /* places */
    uint32_t taken, modes;       /* censuses and MODES points so far */
    struct census *census;       /* also those to come, at which what is born now comes of age */
    uint32_t census_cap;
    uint32_t *stack;             /* [cap] */
};

void world_release(struct world *w);
/* A birth in a place of its own, or in that of `evicted` (an index of `places`; WORLD_NONE). */
uint32_t world_add(struct world *w, int64_t id, uint32_t parent, uint32_t evicted, uint32_t nodes,
                   uint32_t group);
/* A place that a program has in the group; WORLD_NONE. */
uint32_t world_place(const struct world *w, uint32_t slot, uint32_t group);
void world_copy(struct world *w, uint32_t slot, uint32_t group);
void world_drop(struct world *w, uint32_t place);
/* Calls `forgotten` (nullable) for each id whose slot is free from now on. */
void world_census(struct world *w, uint64_t evaluations, void (*forgotten)(void *ctx, int64_t id),
                  void *ctx);

/* The bin of an activity, and the activity in the middle of a bin. */
uint32_t world_bin(double activity);
double world_bin_value(uint32_t bin);

/* openness.c, for its report */
const struct world *openness_run(const struct elm_openness *o);
const struct world *openness_shadows(const struct elm_openness *o, uint32_t *count);

#endif
