/* compare: what one comparison holds. Private to src/learn. */
#ifndef ELM_LEARN_COMPARE_H
#define ELM_LEARN_COMPARE_H

#include "elm/compare.h"
#include "learn/quality.h"

#include <pthread.h>
#include <stdatomic.h>

struct compare_problem {
    char *label;               /* NAME, NAME:VARIANT, or STREAM/NUMBER of a generated one */
    char *load;                /* for elm_problem_load; NULL: generated */
    uint64_t number;           /* of the stream */
    uint64_t hash;             /* of all that its scores depend on */
    bool trial;
    double target, top;        /* NaN: none */
    char *why[ELM_COMPARE_ARMS_MAX];    /* why the arm abstains; NULL: it does not */
};

struct elm_compare {
    struct elm_compare_def def;
    struct compare_problem *problems;
    uint32_t problem_count, problem_cap;
    uint64_t arm_hash[ELM_COMPARE_ARMS_MAX], program;    /* what cells depend on */
    struct elm_compare_cell *cells;    /* [problems][arms][seeds] */
    uint32_t cell_count;
    uint64_t marks[ELM_COMPARE_MARKS];
    uint32_t mark_count;

    int file;                  /* cells.jsonl; -1: none */
    uint32_t resumed;

    pthread_mutex_t lock;      /* guards what follows, the file, and `why` */
    pthread_cond_t changed;
    uint32_t next;             /* cell to look at next */
    uint32_t done, working;
    int64_t last;              /* cell finished last; -1: none */
    struct elm_error failure;
    atomic_bool stop;

    struct elm_compare_result result;
    struct elm_compare_problem *shown;    /* result.problems */
    bool has_result;
};

struct compare_place {
    uint32_t problem, arm, seed;
};
struct compare_place compare_place(const struct elm_compare *c, uint32_t cell);

/* compare_arm.c: everything of an arm that cells depend on, model files by their bytes. */
enum elm_status compare_arm_hash(const struct elm_compare_arm *a, uint64_t *out,
                                 struct elm_error *err);
/* Evaluations of a run of this arm; 0: no such budget. */
uint64_t compare_arm_evaluations(const struct elm_compare *c, uint32_t arm);
/* The most of all arms. */
uint64_t compare_evaluations(const struct elm_compare *c);
/* Are all its operators such as a trial can run? */
bool compare_arm_trial(const struct elm_compare_arm *a);

/* compare_problems.c: the list of problems, each loaded once. */
enum elm_status compare_problems(struct elm_compare *c, struct elm_error *err);

/* compare_cells.c: cells.jsonl. */
enum elm_status compare_cells_open(struct elm_compare *c, struct elm_error *err);
/* Under the lock. */
enum elm_status compare_cells_append(struct elm_compare *c, uint32_t cell, struct elm_error *err);

/* compare_cell.c: one run. A recorder sees every evaluation and keeps the curve. */
struct compare_recorder {
    struct elm_compare *c;
    struct elm_compare_cell *cell;
    double target;             /* NaN: none */
    uint64_t evaluations;      /* the budget; 0: none */
    struct quality quality;    /* no cells: not compared by it */
    bool over;                 /* the budget is spent */
    /* where the CPU time is asked; the search, or NULL: this thread's */
    struct elm_search *search;
    int64_t started_us;        /* of this thread */
    /* the best program within the budget; core C or text */
    struct elm_tree tree;
    struct elm_buf text;
};
void compare_record_start(struct compare_recorder *r, struct elm_compare *c, uint32_t arm,
                          struct elm_compare_cell *cell, double target, double seed_fitness);
/* Evaluation number `evaluations` gave `fitness` (-HUGE_VAL: none). True when it is the best within
 * the budget. */
bool compare_record(struct compare_recorder *r, uint64_t evaluations, double fitness);
int64_t compare_record_cpu_us(const struct compare_recorder *r);
/* Runs cell number `index` into *cell. ELM_STOPPED: asked to. `why`: filled when the arm abstains, to be
 * freed. */
enum elm_status compare_cell_run(struct elm_compare *c, uint32_t index,
                                 struct elm_compare_cell *cell, char **why, struct elm_error *err);
/* compare_trial.c: the same in this process. */
enum elm_status compare_trial_run(struct elm_compare *c, struct compare_place at,
                                  struct elm_compare_cell *cell, char **why, struct elm_error *err);

/* compare_result.c */
void compare_result_release(struct elm_compare *c);

/* compare_svg.c: curves with bands. */
struct compare_series {
    const char *name;
    const double *x, *y, *lo, *hi;    /* [count]; lo and hi NaN: no band */
    uint32_t count;
};
struct compare_chart {
    const char *title, *x_name, *y_name;
    bool x_seconds;            /* labels of the x axis, which is logarithmic */
    const struct compare_series *series;
    uint32_t count;
};
void compare_svg(const struct compare_chart *chart, struct elm_buf *out);

#endif
