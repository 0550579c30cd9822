/*
 * coevolve: programs and the problems they solve, evolved together, without an end in sight.
 *
 *     struct elm_coevolve_def def = elm_default_coevolve_def();
 *     def.folder = "runs/world";
 *     elm_coevolve_open(&def, &c, err) -> elm_coevolve_run(c, tick, ctx, err) -> elm_coevolve_close(c)
 *
 * A problem is a target: a small function of two ints and an array, whose outputs are wanted on 48
 * cases. All problems have the same inputs. `problems` of them are active, each with an archive of
 * its own (MAP-Elites over size and steps), searched in turn by genetic programming in the virtual
 * machine. Every few turns
 *
 * - each problem takes over the program of another problem that is best on it, if it beats what it
 *   would displace;
 * - a new problem is looked for: a target mutated, that of any problem which is not hopeless (MUTATED)
 *   or which is solved (MASTERED), or one drawn anew as the first ones were (GENERATED). It is taken when the best of all programs in the archives is right on 10 to 90 % of its
 *   cases (neither solved nor hopeless), when no program that any archive ever took solves it, and when
 *   it differs from every earlier problem on a tenth of the cases. Its archive starts with the programs
 *   that are best on it. The oldest solved problem gives way, or the oldest; with MASTERED the oldest.
 *
 * A problem is solved when a program is right on all its cases and on 48 others, which nothing else is
 * decided by. ANNECS counts the problems that were made on the way and solved. Source: Wang et al. 2019
 * (POET), 2020 (transfer, ANNECS); Brant & Stanley 2017 (minimal criterion).
 *
 * Everything is a function of the definition: one thread, no clock. A folder holds the world as it
 * stands (`state`, replaced as a whole) and every change of its archives (`changes`). Killed
 * anywhere, the same definition goes on to the same end; with more evaluations it goes further.
 */
#ifndef ELM_COEVOLVE_H
#define ELM_COEVOLVE_H

#include "elm/openness.h"

#define ELM_COEVOLVE_PROBLEMS_MIN 2
#define ELM_COEVOLVE_PROBLEMS_MAX 32
#define ELM_COEVOLVE_PROBLEM_NONE UINT32_MAX

enum elm_coevolve_new {
    ELM_COEVOLVE_MUTATED, ELM_COEVOLVE_GENERATED, ELM_COEVOLVE_NONE, ELM_COEVOLVE_MASTERED,
    ELM_COEVOLVE_NEWS,
};

struct elm_coevolve_def {
    const char *folder;          /* made if need be; NULL: nothing is stored */
    uint64_t seed;
    uint64_t evaluations;        /* of all problems together; it ends after the turn that reaches them */
    uint32_t problems;           /* at a time */
    enum elm_coevolve_new new_problems;
    const char *targets;         /* NULL, or the folder of another: it begins with the problems that
                                    were solved there last, of those made on the way */
};
struct elm_coevolve_def elm_default_coevolve_def(void);

/* As it stands at a point of the run. Means are over the active problems. */
struct elm_coevolve_point {
    uint64_t evaluations;
    uint32_t made;               /* problems, after the first ones */
    uint32_t solved;             /* of all problems */
    uint32_t annecs;             /* of those made */
    double best;                 /* mean of the best fitness, 1 is solved */
    double coverage;             /* mean share of niches */
    double qd;                   /* mean over problems of the sum of fitness */
};

/* A problem that was ever active; borrowed until the next run or close. */
struct elm_coevolve_problem {
    uint32_t parent;             /* its target was mutated from that of; ELM_COEVOLVE_PROBLEM_NONE */
    uint32_t depth;              /* ancestors */
    uint64_t made, solved, left; /* evaluations by then; solved, left: 0: not yet */
    uint32_t nodes;              /* of the target */
    struct elm_str target, solver;       /* texts; solver: the first program that solved it, or empty */
};

/* Of the world that a folder holds, `evaluations` as far as it has come; the folder is the argument, other
 * texts are the arena's. Fails: ELM_NOT_FOUND, ELM_CORRUPT, ELM_IO. */
enum elm_status elm_coevolve_settings(const char *folder, struct elm_arena *arena,
                                      struct elm_coevolve_def *out, struct elm_error *err);

struct elm_coevolve;
/* Makes the world, or reads it where the folder holds one. Fails: ELM_USAGE (of other settings; a number
 * out of range; too few problems in `targets`), ELM_LOCKED, ELM_CORRUPT, ELM_IO, ELM_FULL. */
enum elm_status elm_coevolve_open(const struct elm_coevolve_def *def, struct elm_coevolve **out,
                                  struct elm_error *err);
/* Goes on until the evaluations are spent. `tick` (nullable) is called after every turn of all problems;
 * false stops, ELM_STOPPED, with everything stored. */
enum elm_status elm_coevolve_run(struct elm_coevolve *c,
                                 bool (*tick)(void *ctx, const struct elm_coevolve_point *now),
                                 void *ctx, struct elm_error *err);
const struct elm_coevolve_point *elm_coevolve_points(const struct elm_coevolve *c, uint32_t *count);
uint32_t elm_coevolve_problem_count(const struct elm_coevolve *c);
struct elm_coevolve_problem elm_coevolve_problem(const struct elm_coevolve *c, uint32_t index);
/* Open-endedness of the archives of all problems together, as they have changed since the start: 64
 * censuses, 16 shadows; `same_places` as in elm_openness_def. Release the report. Fails: ELM_CORRUPT,
 * ELM_IO; ELM_USAGE without a folder. */
enum elm_status elm_coevolve_openness(const struct elm_coevolve *c, bool same_places,
                                      struct elm_openness_report *out, struct elm_error *err);
/* Of everything it will go on from. */
uint64_t elm_coevolve_hash(const struct elm_coevolve *c);
void elm_coevolve_close(struct elm_coevolve *c);

#endif
