/*
 * task: problems whose answer is known, made by the thousand in memory: the food of training, gates,
 * hardness and comparisons.
 *
 *     generator (stream, seed) -> task number i -> trial (a whole small search in this thread)
 *
 * A task is a core C function (the reference), its inputs' distribution, cases of three sets, and a
 * broken program that starts the search: the reference corrupted k times, each corruption changing
 * what it computes. Everything is a function of (stream, seed, number).
 *
 * Streams share no target: a target belongs to the stream that the hash of its normal form names, so
 * what is trained on is never in a gate or a report (exact copies; relatives are what training is for).
 * Training sees no sum of four different scalars, and neither parity of four nor a quadratic polynomial:
 * those are what operators are measured with.
 */
#ifndef ELM_TASK_H
#define ELM_TASK_H

#include "elm/operator.h"

enum elm_stream { ELM_STREAM_TRAIN, ELM_STREAM_GATE, ELM_STREAM_REPORT, ELM_STREAMS };

struct elm_task {
    struct elm_problem problem;      /* in memory, no folder: names, io, seed (the broken program), limits */
    struct elm_tree reference;       /* an answer; in the same names */
    uint32_t corruptions;            /* behaviour-changing changes between reference and seed */
    uint32_t gates;                  /* family boolean: of the smallest program there is; else 0 */
    uint32_t case_count[ELM_SETS];
    void *in[ELM_SETS];              /* case_count * io.in_bytes */
    void *want[ELM_SETS];            /* case_count * io.out_bytes: what the reference gives */
    uint8_t *want_mask;              /* of the shown cases: 1 where a byte of want is prescribed */
    struct elm_evidence evidence;    /* of the shown set; borrows from the above */
};
void elm_task_release(struct elm_task *t);
/* The task of a problem folder with `judge: reference`. `p` must outlive it; its names are added to.
 * Fails: ELM_USAGE (no such judge, or a program outside core C, named). */
enum elm_status elm_task_open(const struct elm_problem *p, struct elm_task *out,
                              struct elm_error *err);
/* Fitness of a program as a task's judge gives it: 1 per right case and for a wrong one less than a
 * half, the more the nearer; divided by the number of cases, so 1 is solved. passes (nullable): a bit
 * a case. Runs in the VM; a program that fails a case gets nothing for it. */
double elm_task_score(const struct elm_task *t, const struct elm_tree *program, enum elm_set set,
                      struct elm_vm_memory *vm, uint8_t *passes);
/* Writes it as a problem folder that `elm run` takes. Fails: ELM_EXISTS, ELM_IO. */
enum elm_status elm_task_write(const struct elm_task *t, const char *folder, struct elm_error *err);

/* functions: over ints (half of them), arrays and loops (three in ten), doubles. boolean:
 * straight-line programs over four words with the fewest gates that there can be, 1 to 4. */
enum elm_family { ELM_FAMILY_FUNCTIONS, ELM_FAMILY_BOOLEAN, ELM_FAMILIES };
struct elm_generator_def {
    enum elm_stream stream;
    enum elm_family family;
    uint64_t seed;
    uint32_t corruptions_min, corruptions_max;     /* 1..8; number i has min + i % (max - min + 1) */
    bool cases_of_shown_only;        /* training: no scored and audit cases */
};
struct elm_generator;                /* one thread's */
enum elm_status elm_generator_open(const struct elm_generator_def *def, struct elm_generator **out,
                                   struct elm_error *err);
void elm_generator_close(struct elm_generator *g);
/* Task `number`, whatever was asked before. In the stream of training 16 numbers in a row share a
 * target, of which each has its own corruptions: a target costs more than those. Borrowed until the next call or close; its names are the
 * generator's. Never fails: a number whose target is rejected goes on to its next draw. */
const struct elm_task *elm_generator_task(struct elm_generator *g, uint64_t number);

/* How hard the task last given is. */
struct elm_hardness {
    double random;                   /* -log10 of the share of random programs of its head and size that
                                        solve it, of 20,000; where none does, of one in as many */
    double search;                   /* evaluations that `semantic` and `tree` in equal shares need, the
                                        median of three searches; 5,000 where they don't solve it */
    double solve_rate;               /* of the default operators by 500 evaluations, of 8 searches */
};
enum elm_status elm_generator_hardness(struct elm_generator *g, struct elm_hardness *out,
                                       struct elm_error *err);

/* A whole search over one task in the calling thread: archive, selector and operators as parts, no
 * store and no cage (programs run in the VM only). Same definition, same result. */
struct elm_trial_arm {
    const char *operator;            /* a tree operator */
    double share;                    /* of the attempts, > 0 */
};
#define ELM_TRIAL_ARMS_MAX 8
/* What operators are not shown: nothing is left out; traces; inputs and wanted outputs, too. */
enum elm_opaque { ELM_OPAQUE_NO, ELM_OPAQUE_YES, ELM_OPAQUE_ALL };
struct elm_trial_def {
    const struct elm_task *task;
    struct elm_trial_arm arms[ELM_TRIAL_ARMS_MAX];
    uint32_t arm_count;
    const char *archive, *selector;  /* NULL: rooted; uniform */
    const char *model;               /* of operators that take one; NULL: the built-in */
    enum elm_opaque opaque;          /* from YES on the operators' vm is NULL, and kinds that trace are
                                        refused; with ALL so is the evidence */
    uint64_t seed;
    uint32_t evaluations;            /* budget; duplicates are not evaluated and not counted */
    /* Nullable: called after each evaluation with their number and the best scored fitness so far;
     * false ends the trial there. */
    bool (*told)(void *ctx, uint32_t evaluations, double best);
    void *told_ctx;
};
struct elm_trial {
    uint32_t evaluations, attempts;
    uint32_t solved_at;              /* evaluations when all shown and scored cases were right; 0: never,
                                        or, if `solved`, in the seed, which ends the trial at once */
    bool solved;                     /* and all audit cases, too: only this counts */
    double best;                     /* scored fitness */
    uint32_t better, distinct;       /* children better than their parent; children not seen before */
    int64_t cpu_us;
    struct elm_tree program;         /* the best; release it */
};
enum elm_status elm_trial_run(const struct elm_trial_def *def, struct elm_trial *out,
                              struct elm_error *err);

#endif
