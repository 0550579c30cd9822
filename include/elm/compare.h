/*
 * compare: configurations of the search ("arms") against each other on the same problems, with the
 * same budget and several seeds, and what can be said of the difference. `elm compare` is a client.
 *
 *     arms x problems x seeds -> cells (a whole run each) -> result -> report, JSON
 *
 * A cell is a run of its own. Where all arms are made of tree operators, problems whose judge is a
 * reference and generated ones run in this process (elm_trial_run); the rest as searches without a
 * folder. Which of the two is the same for all arms of a problem, and is reported. Cells run side by
 * side, and what they give depends on their arm, problem and seed alone, not on their number: only
 * what is measured in CPU time depends on the machine, and only a budget of CPU time lets that reach
 * the rest. A run ends early when it reaches its problem's target, and holds what it has from then on.
 *
 * Solved means: the target reached on the scored cases within the budget, and the program that
 * reached it holds on the audit cases, which no search sees. Gain is the share of the way from the
 * seed's fitness to the target, the best known value, or else the best value any cell came to.
 * An arm that can do nothing on a problem abstains there: not solved, no gain.
 *
 * By quality, a run is worth its QD score in place of its best fitness: the sum over the niches of the
 * problem's own grid of the best fitness of each, above 0 or, where that is lower, above the seed's. Then
 * nothing has a target, nothing is solved, no run ends early, and there is no audit.
 */
#ifndef ELM_COMPARE_H
#define ELM_COMPARE_H

#include "elm/search.h"
#include "elm/task.h"

#define ELM_COMPARE_ARMS_MAX 16
#define ELM_COMPARE_OPERATORS_MAX 8
#define ELM_COMPARE_MARKS 40          /* points of a curve */
#define ELM_COMPARE_COLUMNS 4
#define ELM_COMPARE_NAME_BYTES 40

struct elm_compare_arm {
    char name[ELM_COMPARE_NAME_BYTES];
    const char *text;                  /* its settings as they were written */
    const char *operators;             /* "semantic,tree"; NULL: all that apply */
    double shares[ELM_COMPARE_OPERATORS_MAX];    /* of the attempts, in the order of operators; trials
                                          only: a search has its bandit */
    const char *archive, *selector;    /* NULL: the problem's */
    const char *backend;               /* NULL: no model is asked */
    struct elm_backend_def model;      /* its `model` also of tree operators that have one */
    double model_share;
    uint64_t evaluations;              /* of its runs; 0: the comparison's */
    enum elm_opaque opaque;            /* trials only */
    double training_cpu_s;             /* that making the arm has cost */
};
/* Reads "NAME: key=value; key=value", or a list of operators, which then is the name too. Keys:
 * operators, shares, archive, selector, model, backend, script, endpoint, model-share, opaque,
 * evaluations, training-cpu. Strings live in `arena`. ELM_USAGE names what is wrong and what is allowed. */
enum elm_status elm_compare_arm_parse(const char *text, struct elm_arena *arena,
                                      struct elm_compare_arm *out, struct elm_error *err);

/* Generated problems 0 .. count-1 of a stream. */
struct elm_compare_generated {
    enum elm_stream stream;
    uint32_t count;                    /* 0: none */
    uint64_t seed;
    uint32_t corruptions_min, corruptions_max;
};
/* Reads "STREAM:COUNT:SEED[:MIN-MAX]"; 1-6 corruptions unless given. */
enum elm_status elm_compare_generated_parse(const char *text, struct elm_compare_generated *out,
                                            struct elm_error *err);

struct elm_compare_def {
    struct elm_keeper *keeper;
    const struct elm_compare_arm *arms;    /* the first is what the others are compared with */
    uint32_t arm_count;
    const char *const *problems;       /* [problem_count] as elm_problem_load takes them */
    uint32_t problem_count;
    const char *folder_of_problems;    /* every problem folder in it; of one with variants these, not
                                          the problem itself. NULL: none */
    struct elm_compare_generated generated;
    const char *problems_path, *cache_folder;
    bool quality;                      /* runs are compared by their QD score; every problem must have
                                          measures */
    uint64_t evaluations;              /* budgets of a run; 0: none. At least one is wanted */
    double cpu_s;
    double evaluation_s;               /* CPU time that is added for each evaluation: what the arms would
                                          take where the problems' evaluators were so much dearer */
    uint64_t tokens;                   /* of the model; arms without one have the other budgets */
    uint32_t seeds;                    /* runs of an arm on a problem */
    uint64_t seed;                     /* of the first; the others follow */
    uint32_t workers;                  /* cells at a time; 0: as many as cores */
    int level;
    bool unsafe;
    const char *folder;                /* of the report; finished cells are kept there in cells.jsonl
                                          and not run again by the same program. NULL: nothing is kept */
};
struct elm_compare_def elm_default_compare_def(void);

struct elm_compare;
/* Checks everything that can be checked before a cell runs: arms, models, problems (a problem that
 * fails to load is named); reads what the folder holds. Fails: ELM_USAGE, ELM_LOCKED (another
 * comparison works in that folder), ELM_CORRUPT, ELM_IO, and as elm_problem_load. */
enum elm_status elm_compare_open(const struct elm_compare_def *def, struct elm_compare **out,
                                 struct elm_error *err);
struct elm_compare_progress {
    uint32_t cells, done, resumed;     /* all; finished, those found in the folder included */
    const char *arm, *problem;         /* of the cell that was finished last; NULL: none yet */
};
/* Runs the cells that are missing. `tick` (nullable) is called about every 100 ms on this thread; it
 * returns false to stop: cells under way are dropped. ELM_STOPPED: not all are done. */
enum elm_status elm_compare_run(struct elm_compare *c,
                                bool (*tick)(void *ctx, const struct elm_compare_progress *p),
                                void *ctx, struct elm_error *err);
void elm_compare_close(struct elm_compare *c);

/* ---- what can be said when all cells are done ---- */
/* A mean over problems and seeds with its 95 % interval: percentiles of 10,000 bootstrap resamples
 * of problems and, within them, seeds. lo and hi are NaN where there is one of each only, and mean
 * where nothing was measured. */
struct elm_compare_value {
    double mean, lo, hi;
};
struct elm_compare_point {
    double x;                          /* evaluations, or seconds of CPU time */
    struct elm_compare_value solved, gain;    /* bands of 1,000 resamples */
};
struct elm_compare_arm_result {
    struct elm_compare_value solved[ELM_COMPARE_COLUMNS];    /* share, within columns[i] */
    struct elm_compare_value gain;     /* at the end of the budget */
    struct elm_compare_value area;     /* mean gain over the logarithm of the evaluations, 1 to the
                                          budget: how early, and how far */
    double median_evaluations;         /* to solve; HUGE_VAL when fewer than half of the runs do */
    double evaluations_to_match, cpu_s_to_match;    /* of a run, until as many are solved as the first arm
                                          solves in all; HUGE_VAL: never, NaN: that solves none */
    double evaluations, tokens;        /* mean of a run */
    double cpu_s;                      /* mean of a run */
    double cpu_s_per_solved;           /* all its CPU time by the problems solved; HUGE_VAL: none */
    uint32_t abstained;                /* problems */
    struct elm_compare_point by_evaluations[ELM_COMPARE_MARKS], by_cpu[ELM_COMPARE_MARKS];
};
enum elm_compare_metric { ELM_COMPARE_SOLVED, ELM_COMPARE_GAIN, ELM_COMPARE_AREA,
                          ELM_COMPARE_METRICS };
/* An arm minus the first one, paired: of a problem the means over seeds, or, where there is one
 * problem only, of its seeds. */
struct elm_compare_difference {
    struct elm_compare_value value;
    double p, p_holm;                  /* Wilcoxon's signed-rank test, two-sided; with Holm's
                                          correction over the arms */
    uint32_t better, worse, equal;     /* pairs */
    double p_signs;                    /* of the sign test */
};
/* When training paid: `arm` against the first one by CPU time to solve a problem. */
struct elm_compare_break_even {
    double training_cpu_s;             /* more than the first arm's */
    double problems;                   /* solved until it has paid; HUGE_VAL: never; 0: at once */
    double cpu_s;                      /* spent by then, training included */
};
struct elm_compare_cell {
    bool done, abstained, solved;
    uint8_t marks;                     /* of its curve; beyond holds `best` */
    uint64_t solved_at;                /* evaluations; 0: by the seed, or never within the budget */
    uint64_t evaluations, tokens;
    double seed_fitness, best, audit;  /* by quality QD scores; audit: of the best; NaN: not measured */
    int64_t cpu_us, solved_cpu_us;
    double curve[ELM_COMPARE_MARKS];   /* best fitness at marks[i] evaluations */
    float curve_cpu_s[ELM_COMPARE_MARKS];
};
struct elm_compare_problem {
    const char *name;
    bool trial;                        /* its cells ran in this process */
    double target, top;                /* NaN: none; what gain is measured to */
    const char *const *why;            /* [arms] why the arm abstains; NULL: it does not */
    const struct elm_compare_cell *cells;    /* [arms * seeds], seeds of an arm side by side */
};
struct elm_compare_result {
    uint32_t arm_count, problem_count, seeds;
    const struct elm_compare_arm *arms;
    struct elm_compare_problem *problems;
    uint32_t solvable;                 /* problems with a target: `solved` is of these */
    uint32_t column_count;
    double columns[ELM_COMPARE_COLUMNS];    /* evaluations; seconds of CPU time where the budget is */
    bool columns_cpu;
    uint32_t mark_count;
    uint64_t marks[ELM_COMPARE_MARKS];
    uint32_t cpu_count;                /* points of by_cpu */
    uint32_t pairs;                    /* problems, or seeds where there is one problem only */
    struct elm_compare_arm_result *of;           /* [arms] */
    struct elm_compare_difference (*differences)[ELM_COMPARE_METRICS];    /* [arms], 0 unused */
    struct elm_compare_break_even *break_even;   /* [arms], 0 unused */
};
/* All cells must be done. Borrowed until close. */
const struct elm_compare_result *elm_compare_result(struct elm_compare *c);

/* Where and how: for the report. */
struct elm_compare_about {
    const char *command;               /* that makes it again */
    const char *date, *machine;
};
/* Everything as one JSON document; all that depends on the machine is in keys that begin with cpu,
 * date, machine or command. */
void elm_compare_json(struct elm_compare *c, const struct elm_compare_about *about,
                      struct elm_buf *out);
/* The table, as Markdown that reads well as it is. */
void elm_compare_table(struct elm_compare *c, struct elm_buf *out);
/* Writes report.md, comparison.json and the curves (SVG) to the folder of the definition. */
enum elm_status elm_compare_report(struct elm_compare *c, const struct elm_compare_about *about,
                                   struct elm_error *err);

#endif
