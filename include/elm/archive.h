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

/* A program offered to an archive. */
struct elm_entrant {
    int64_t id;
    int64_t parent;          /* the elite it was made from; -1: the seed, of none */
    uint32_t group;          /* that its parent was drawn from; 0 where the kind has no groups */
    uint32_t nodes;          /* size of its tree; 0 outside core C */
    const struct elm_evaluation *evaluation;
};

struct elm_add_result {
    enum elm_outcome outcome;
    uint32_t niche;
    int64_t evicted;         /* id that left the archive, -1 if none */
    double improvement;      /* fitness gained in the niche; 0 for NEW */
};

/* What `tend` did, in ids, one for each place: borrowed until the next call. An id may stand in
 * several places. */
struct elm_moves {
    const int64_t *copied;   /* took one more place */
    const int64_t *dropped;  /* lost one */
    uint32_t copied_count, dropped_count;
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
    bool needs_measures;     /* not for problems that have none */
    void *(*make)(const struct elm_problem *problem, double floor);
    void (*free)(void *self);
    /* Adds the evaluated program if it deserves its niche. Never lowers a niche's fitness.
     * A tie goes to the newcomer when its tree is not larger than the old one or than the seed:
     * neutral steps cross plateaus, and need code to spare to do so.
     * Neither this nor `beat` looks at `asked`: a replay has told as much, and asked less. */
    struct elm_add_result (*add)(void *self, const struct elm_entrant *x);
    /* Comparison judge: x has beaten `opponent`. Takes its place when it still holds a niche
     * (IMPROVED, evicted = opponent); otherwise result.niche's holder must be fought next:
     * outcome NONE, evicted = that holder's id. NULL when the kind can't. */
    struct elm_add_result (*beat)(void *self, const struct elm_entrant *x, int64_t opponent);
    /* Draws a group that has elites: [first, first + count) of them. Both parents of a child come
     * from one group, and the child contends there. Returns its number, < ELM_GROUPS_MAX. NULL:
     * all elites are one group. */
    uint32_t (*group)(const void *self, struct elm_rng *rng, uint32_t *first, uint32_t *count);
    /* After the seed, and after every batch of children: what the kind does from time to time, by
     * count of these calls and random numbers keyed by it. A rejected `add` may leave no trace that
     * counts here: a replay does not repeat it. NULL: nothing. */
    void (*tend)(void *self, struct elm_moves *moves);
    uint32_t (*count)(const void *self);
    /* Elites in a fixed order (by niche); index < count. Borrowed until the next add. */
    struct elm_elite *(*at)(void *self, uint32_t index);
    struct elm_elite *(*best)(void *self);          /* of equals a small one; NULL when empty */
    void (*stats)(const void *self, struct elm_archive_stats *out);
    uint64_t (*hash)(const void *self);             /* of all elites but for `asked`, which runs
                                                       ahead of what has been told */
    void (*save)(const void *self, struct elm_buf *out);
    /* In place of what self held. Failed, it may only be loaded again or freed. */
    enum elm_status (*load)(void *self, struct elm_reader *r, struct elm_error *err);
};
#define ELM_GROUPS_MAX 16
extern const struct elm_archive_kind *const elm_archive_kinds[];
const struct elm_archive_kind *elm_archive_find(const char *name);

/* Which elites pass which of the scored cases. */
struct elm_case_table {
    uint32_t cases;
    uint32_t words;          /* of one case */
    const uint64_t *pass;    /* [cases][words]: bit i is set where the elite at index i passes */
};

/* What a selector chooses from: the elites [first, first + count) of an archive. */
struct elm_selection {
    const struct elm_archive_kind *kind;
    void *archive;
    uint32_t first, count;   /* count > 0 */
    const struct elm_case_table *cases;    /* NULL unless the selector needs them */
};

struct elm_selector_kind {
    const char *name, *summary;
    bool needs_cases;        /* not for problems that a command scores: those have none */
    /* Writes the indices (for archive->at) of n parents, 1 <= n <= 2, distinct where possible.
     * Same archive and rng, same answer. */
    void (*select)(const struct elm_selection *from, struct elm_rng *rng, uint32_t n,
                   uint32_t *indices);
};
extern const struct elm_selector_kind *const elm_selector_kinds[];
const struct elm_selector_kind *elm_selector_find(const char *name);

#endif
