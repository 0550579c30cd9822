/* coevolve: a world of problems and programs. Private to src/learn/coevolve*.c. */
#ifndef ELM_LEARN_COEVOLVE_H
#define ELM_LEARN_COEVOLVE_H

#include "elm/coevolve.h"
#include "elm/operator.h"

#define COEVOLVE_CASES 48
#define COEVOLVE_OPERATORS 2
#define COEVOLVE_NODE_BINS 8
#define COEVOLVE_STEP_BINS 4
#define COEVOLVE_NICHES (COEVOLVE_NODE_BINS * COEVOLVE_STEP_BINS)
#define COEVOLVE_HELD_MAX (COEVOLVE_NICHES * ELM_COEVOLVE_PROBLEMS_MAX)
#define COEVOLVE_FUEL 1000       /* steps of a program on a case */

enum coevolve_set { COEVOLVE_SCORED, COEVOLVE_AUDIT, COEVOLVE_SETS };

/* A program in one archive or several. What it gives is kept: it need not run again for another
 * problem. */
struct coevolve_held {
    int64_t id;
    struct elm_tree tree;
    uint8_t *editable;
    uint32_t editable_count, refs;
    uint64_t hash;               /* of its normal form */
    uint64_t steps;
    int32_t out[COEVOLVE_CASES];
};

struct coevolve_problem {
    uint32_t parent, depth;
    uint64_t made, solved, left;
    struct elm_tree target;
    int32_t want[COEVOLVE_SETS][COEVOLVE_CASES];
    struct elm_buf text, solver;
};

/* An active problem. */
struct coevolve_group {
    uint32_t problem;
    void *archive;
    struct coevolve_held *held[COEVOLVE_NICHES];
};

struct elm_coevolve {
    struct elm_coevolve_def def;
    char *folder, *targets;
    int lock;

    struct elm_problem problem;          /* what operators and archives are told: of all the same */
    struct elm_evidence evidence;
    uint8_t *in[COEVOLVE_SETS];
    const struct elm_archive_kind *kind;
    const struct elm_selector_kind *selector;
    const struct elm_operator_kind *operators[COEVOLVE_OPERATORS];
    void *selves[COEVOLVE_OPERATORS];
    struct elm_vm_memory *vm;
    struct elm_arena arena;
    struct elm_buf code;
    struct elm_pool *pool;               /* of the turn's group */
    uint64_t *seen;                      /* hashes of the turn; open addressing, 0: empty */

    uint64_t evaluations, attempts, turns;
    struct coevolve_problem *problems;
    uint32_t problem_count, problem_cap;
    struct coevolve_group groups[ELM_COEVOLVE_PROBLEMS_MAX];
    uint64_t *kept;                      /* outputs of all programs that an archive ever took: hashes */
    uint64_t kept_mask, kept_count;

    struct elm_buf changes;              /* since the last checkpoint */
    uint64_t changes_bytes;              /* in the file by then */
    uint64_t stored_at;                  /* turns */
    struct elm_coevolve_point *points;
    uint32_t point_count, point_cap;
};

/* ---- coevolve.c ---- */
void coevolve_emit(struct elm_coevolve *c, const struct elm_change *change, uint64_t outputs);
void coevolve_drop(struct coevolve_held *h);
/* Remembers the outputs of a program that an archive took. */
void coevolve_keep(struct elm_coevolve *c, uint64_t outputs);
bool coevolve_kept(const struct elm_coevolve *c, uint64_t outputs);
struct elm_coevolve_point coevolve_point(const struct elm_coevolve *c);
void coevolve_add_point(struct elm_coevolve *c, const struct elm_coevolve_point *p);

/* ---- coevolve_search.c ---- */
/* Runs a checked tree on a set. False: it fails on a case, or takes more steps on one. */
bool coevolve_outputs(struct elm_coevolve *c, const struct elm_tree *t, enum coevolve_set set,
                      uint64_t most, int32_t *out, uint64_t *steps);
uint64_t coevolve_outputs_hash(const int32_t *out);
/* Fitness, 1 is solved; passed (nullable): cases that are right. */
double coevolve_score(const int32_t *want, const int32_t *out, uint32_t *passed);
/* Takes the tree. NULL, and the tree released: it fails on a case. */
struct coevolve_held *coevolve_hold(struct elm_coevolve *c, int64_t id, struct elm_tree tree);
/* A new program into an archive, or a program that some archive has had into one more, if it
 * deserves a place there. */
void coevolve_add(struct elm_coevolve *c, uint32_t group, struct coevolve_held *h, int64_t parent);
void coevolve_copy(struct elm_coevolve *c, uint32_t group, struct coevolve_held *h);
/* A turn of one problem. */
enum elm_status coevolve_search(struct elm_coevolve *c, uint32_t group, struct elm_error *err);
/* The best program that another problem has for each. */
void coevolve_transfer(struct elm_coevolve *c);

/* ---- coevolve_problem.c ---- */
/* The first problems. */
enum elm_status coevolve_first(struct elm_coevolve *c, struct elm_error *err);
/* One that takes the place of another, if one is found. */
void coevolve_breed(struct elm_coevolve *c);
/* Adds a problem that no group has yet. Takes the target. False, and the target released: no outputs. */
bool coevolve_add_problem(struct elm_coevolve *c, struct elm_tree target, uint32_t parent);

/* ---- coevolve_file.c ---- */
enum elm_status coevolve_lock(struct elm_coevolve *c, struct elm_error *err);
/* *there: the folder held a world, and it has been read. */
enum elm_status coevolve_read(struct elm_coevolve *c, bool *there, struct elm_error *err);
enum elm_status coevolve_write(struct elm_coevolve *c, struct elm_error *err);
void coevolve_save(const struct elm_coevolve *c, struct elm_buf *out);
/* Adds the problems that the world in def.targets solved last. */
enum elm_status coevolve_read_targets(struct elm_coevolve *c, struct elm_error *err);
/* All changes that the file and the buffer hold, in order. */
enum elm_status coevolve_each_change(const struct elm_coevolve *c,
                                     void (*each)(void *ctx, const struct elm_change *change,
                                                  uint64_t outputs),
                                     void *ctx, struct elm_error *err);

#endif
