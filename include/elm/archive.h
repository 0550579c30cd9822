/*
 * archive: what is kept, and where. Holds ids and numbers only; programs stay with the search.
 *
 * To add one: parts/archive/NAME.c, defining `const struct elm_archive_kind elm_archive_NAME`
 * (shortest example: topk.c); tests/contract/archive_test.c runs on it. Search thread only.
 *
 * selector: which elites become parents. parts/selector/NAME.c, `elm_selector_NAME`
 * (example: uniform.c).
 */
#ifndef ELM_ARCHIVE_H
#define ELM_ARCHIVE_H

#include "elm/problem.h"
#include "elm/program.h"

struct elm_elite {
    int64_t id;
    double fitness;
    double measures[ELM_MEASURES_MAX];
    uint32_t niche;
    uint32_t nodes;          /* size of its tree; 0 outside core C */
    uint32_t asked;          /* children asked of it */
    uint32_t wins;           /* children that were better or new; comparison judge: duels won */
};

struct elm_add_result {
    enum elm_outcome outcome;
    uint32_t niche;
    int64_t evicted;         /* id that left the archive, -1 if none */
    double improvement;      /* fitness gained in the niche; 0 for NEW */
};

struct elm_archive_stats {
    uint32_t niches;         /* capacity; 0: unbounded */
    uint32_t elites;
    double coverage;         /* elites / niches */
    double best, mean;       /* fitness */
    double qd_score;         /* sum of (fitness - floor) over elites; floor: seed's fitness */
};

struct elm_archive_kind {
    const char *name, *summary;
    void *(*make)(const struct elm_problem *problem, double floor);
    void (*free)(void *self);
    /* Adds the evaluated program if it deserves its niche. Never lowers a niche's fitness.
     * A tie goes to the newcomer when its tree is not larger than the old one or than the seed:
     * neutral steps cross plateaus, and need code to spare to do so.
     * Neither this nor `beat` looks at `asked`: a replay has told as much, and asked less. */
    struct elm_add_result (*add)(void *self, int64_t id, const struct elm_evaluation *e,
                                 uint32_t nodes);
    /* Comparison judge: `id` has beaten `opponent`. Takes its place when it still holds a niche
     * (IMPROVED, evicted = opponent); otherwise result.niche's holder must be fought next:
     * outcome NONE, evicted = that holder's id. NULL when the kind can't. */
    struct elm_add_result (*beat)(void *self, int64_t id, int64_t opponent,
                                  const struct elm_evaluation *e, uint32_t nodes);
    uint32_t (*count)(const void *self);
    /* Elites in a fixed order (by niche); index < count. Borrowed until the next add. */
    struct elm_elite *(*at)(void *self, uint32_t index);
    struct elm_elite *(*best)(void *self);          /* of equals a small one; NULL when empty */
    void (*stats)(const void *self, struct elm_archive_stats *out);
    uint64_t (*hash)(const void *self);             /* of all elites but for `asked`, which runs
                                                       ahead of what has been told */
    void (*save)(const void *self, struct elm_buf *out);
    enum elm_status (*load)(void *self, struct elm_reader *r, struct elm_error *err);
};
extern const struct elm_archive_kind *const elm_archive_kinds[];
const struct elm_archive_kind *elm_archive_find(const char *name);

struct elm_selector_kind {
    const char *name, *summary;
    /* Writes the indices (for archive->at) of n parents, 1 <= n <= 2, distinct where possible.
     * The archive is not empty. Same archive and rng, same answer. */
    void (*select)(const struct elm_archive_kind *kind, void *archive, struct elm_rng *rng,
                   uint32_t n, uint32_t *indices);
};
extern const struct elm_selector_kind *const elm_selector_kinds[];
const struct elm_selector_kind *elm_selector_find(const char *name);

#endif
