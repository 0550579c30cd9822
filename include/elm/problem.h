/*
 * problem: a folder (problem.yaml, seed.c, judge.c, description.md, reference.c) read into memory.
 * docs/adding.md shows how to make one; `elm new NAME` writes one that runs at once. The folder's
 * name is the problem's. problem.yaml, with defaults ("-": none):
 *
 *     summary: one line                         required
 *     entry: "int f(int n, double a[8])"        required: the function evolved, in core C
 *     io: {a: out}                              in, out or inout, for arrays; in. With rounds also
 *                                               state: kept between the rounds of a lane
 *     judge: score                              or compare, or reference: no judge.c; what
 *                                               reference.c gives is wanted (below)
 *     inputs: {n: [1, 8], a: [-9, 9]}           with judge: reference, for every parameter that is an
 *                                               input: the range of its value, of each element
 *     rounds: 0                                 at most so many, of a judge with `next`
 *     runner: vm                                or tcc
 *     needs_steps: false
 *     cases: {shown: 64, scored: 64, audit: 64}
 *     case_seed: 1                              handed to the judge's make
 *     limits: {fuel: 100000, cpu_ms: 200, memory_mb: 64, nodes: 400, edit_nodes: 40}
 *                                               and total_fuel: of all rounds; no limit
 *     measures: [{name: width, lo: 0, hi: 1, bins: 10, from: judge}]     or from: nodes, steps
 *     seed: seed.c
 *     reference: reference.c                    if there is one
 *     reference_fitness: -                      that it reaches at least
 *     target: -    best_known: -    best_known_source: -    tolerance: 0
 *     hardness: -    hardness_search: -    solve_rate: -      as `elm generate` measures them
 *     archive: grid                             rooted without measures, topk without scores
 *     niches: 1024                              of archive cvt, 2 to 10000
 *     selector: power
 *     evaluations: 100000                       budget of `elm run`
 *     variants:                                 `elm run NAME:VARIANT`; each may say anew: summary,
 *       small: {case_seed: 7, target: 3}        seed, reference, reference_fitness, case_seed,
 *                                               target, best_known(_source), evaluations, hardness,
 *                                               hardness_search, solve_rate
 *
 * A variant with a case_seed of its own is another target: reference.c is not its solution (but with
 * judge: reference, where a case_seed only draws other inputs).
 *
 * With `judge: reference` elm writes the judge itself: inputs are drawn uniformly from their ranges,
 * both ends included, whole for ints, anew for each set and case_seed. A case that is right in every
 * number counts 1, a wrong one less than a half, the more the nearer its numbers are; fitness is their
 * mean, so 1 is solved. Doubles are right to 1e-9 of 1 + |wanted|. reference.c is core C, so that such
 * a problem is also a task in memory (elm/task.h).
 *
 * A problem is constant once loaded and may be read by any thread, but for `names`, to which
 * only the search thread adds.
 */
#ifndef ELM_PROBLEM_H
#define ELM_PROBLEM_H

#include "elm/code.h"
#include "elm/judge.h"

enum elm_runner {
    ELM_RUNNER_VM,       /* core C in the virtual machine; the rest through tcc */
    ELM_RUNNER_TCC,      /* always compiled by tcc and run in a process of its own */
};

enum elm_judge_kind {
    ELM_JUDGE_SCORE,     /* judge.c gives a fitness */
    ELM_JUDGE_COMPARE,   /* judge.c only says which of two is better */
    ELM_JUDGE_COMMAND,   /* a command prints a number (elm run --file F --score CMD) */
};

struct elm_measure {
    char name[32];
    double lo, hi;       /* range of the grid; values beyond are put in the outermost bin */
    uint32_t bins;       /* 1..256 */
    uint8_t source;      /* enum elm_measure_source */
};
enum elm_measure_source {
    ELM_MEASURE_JUDGE,   /* result.measures, in order among those of this source */
    ELM_MEASURE_NODES,   /* `nodes`: size of the tree */
    ELM_MEASURE_STEPS,   /* `steps`: VM steps over the scored cases, log2 */
};

struct elm_range {
    double lo, hi;
};

struct elm_problem {
    char *name, *summary, *folder;       /* folder: absolute */
    char *description;                   /* description.md; "" if none */
    struct elm_io io;                    /* entry: and io: */
    enum elm_runner runner;
    enum elm_judge_kind judge;
    bool by_reference;                   /* ELM_JUDGE_SCORE by a judge that elm writes */
    struct elm_range inputs[ELM_PARAMS_MAX];   /* by_reference: of each parameter */
    char *score_command;                 /* ELM_JUDGE_COMMAND only */
    bool needs_steps;                    /* the judge uses cost.steps, nodes or operators: programs
                                            outside core C are refused */

    struct elm_names *names;
    char *seed_text;                     /* seed.c, or that of the variant */
    char *variant;                       /* its name; "" for none */
    char **variants;                     /* names of all, in the order of problem.yaml */
    uint32_t variant_count;
    struct elm_tree seed;                /* count 0 when the seed is outside core C */
    char *seed_outside;                  /* then why; else NULL */
    char *reference_text;                /* reference.c; NULL if none */
    double reference_fitness;            /* NaN if none */

    uint32_t case_count[ELM_SETS];       /* asked of the judge; 0 in none but small domains */
    uint64_t case_seed;
    uint32_t rounds;                     /* 0: each case is asked once */
    uint64_t fuel;                       /* VM steps a case; with rounds, a lane and round */
    uint64_t total_fuel;                 /* VM steps of all rounds; UINT64_MAX: no limit */
    uint32_t cpu_ms, memory_mb;          /* tcc path, whole set, all rounds; defaults 200 and 64 */
    uint32_t nodes_max, edit_nodes_max;  /* of a child; of one edit's new nodes */

    uint32_t measure_count;
    struct elm_measure measures[ELM_MEASURES_MAX];

    double target;                       /* fitness at which a run may stop; NaN: none */
    double best_known;                   /* NaN: unknown */
    char *best_known_source;
    double hardness;                     /* -log10 P(a random program solves it); NaN: unknown */
    double hardness_search;              /* evaluations of the reference search, the median; NaN */
    double solve_rate;                   /* of the default operators, 0..1; NaN: unknown */
    double tolerance;                    /* agreement of VM, tcc and gcc -O2 fitness */
    char archive[32], selector[32];      /* defaults of the problem */
    uint32_t niches;                     /* wanted of archive cvt; 0: its own 1,024 */
    uint64_t budget_evaluations;         /* default budget of `elm run NAME` */
};

/* A folder of problem folders: as given if it is there or a path with a slash, else the one of that
 * name that came with elm (`functions`), if there is; free it. */
char *elm_problems_folder(const char *folder);
/* Reads NAME[:VARIANT] from `problems_path` (colon-separated folders that hold problem folders; the
 * installed and the working directory's `problems` are tried after), or a path with a slash to a
 * problem folder. Malformed folders fail with "file:line:column: key 'x': what is allowed".
 * Fails: ELM_NOT_FOUND (with the nearest names), ELM_PARSE, ELM_OUTSIDE, ELM_IO. */
enum elm_status elm_problem_load(const char *name, const char *problems_path,
                                 struct elm_problem **out, struct elm_error *err);
/* A problem made of one file and a command that prints a number; see elm run --file. */
enum elm_status elm_problem_from_file(const char *file, const char *command,
                                      struct elm_problem **out, struct elm_error *err);
void elm_problem_free(struct elm_problem *p);

/* The problems found on the path: calls `each` with name, summary and folder in order of name. */
enum elm_status elm_problem_list(const char *problems_path,
                                 void (*each)(void *ctx, const char *name, const char *summary,
                                              const char *folder),
                                 void *ctx, struct elm_error *err);
/* Writes a new problem folder `path` that runs as it is. Fails: ELM_EXISTS, ELM_IO. */
enum elm_status elm_problem_scaffold(const char *path, struct elm_error *err);

#endif
