/*
 * search: one evolutionary run. Everything `elm run` does is here:
 *
 *     problem -> archive -> selector -> operator -> sandbox -> outcome -> archive -> store
 *
 * The thread that calls elm_search_run owns archive, selector, operators and random numbers;
 * workers evaluate whole batches. A batch is a function of candidate ids: the parents of batch b
 * see the outcomes of batches <= b - ELM_SEARCH_LAG, in order of id, so the same seed gives the same archive for any
 * number of workers, and a resumed run equals the undisturbed one. Nothing measured by a clock
 * decides what is searched; a budget in minutes only cuts the same sequence.
 */
#ifndef ELM_SEARCH_H
#define ELM_SEARCH_H

#include "elm/archive.h"
#include "elm/operator.h"
#include "elm/sandbox.h"
#include "elm/store.h"

#define ELM_SEARCH_BATCH 32      /* candidates; 4 where a command scores them */
#define ELM_SEARCH_LAG 4
#define ELM_OPERATORS_MAX 16

/* An evaluated candidate, as it is told; borrowed for the call. */
struct elm_told {
    uint64_t evaluations;                /* so far, this one included */
    const struct elm_evaluation *evaluation;
    const struct elm_tree *tree;         /* NULL outside core C */
    struct elm_str text;                 /* only outside core C */
};

/* What happened to the archive, in order. Every place that a program has counts. */
enum elm_change_kind {
    ELM_CHANGE_ADDED,        /* took a place, perhaps that of `evicted` */
    ELM_CHANGE_COPIED,       /* took one more: between groups */
    ELM_CHANGE_DROPPED,      /* lost one: its group was renewed */
    ELM_CHANGE_BATCH,        /* nothing; a whole batch has been told */
};
struct elm_change {
    enum elm_change_kind kind;
    uint64_t evaluations;                /* told so far */
    int64_t id;                          /* of the program */
    int64_t parent;                      /* ADDED: the one it was edited from; -1: not known */
    int64_t evicted;                     /* ADDED: -1: none */
    uint32_t nodes;                      /* ADDED: of its tree; 0 outside core C */
    uint32_t group;                      /* of places, that it happened in, < ELM_CHANGE_GROUPS; 0 where
                                            all are one group */
};
#define ELM_CHANGE_GROUPS 64

struct elm_search_def {
    struct elm_keeper *keeper;
    const struct elm_problem *problem;   /* its `names` is added to */
    const char *folder;                  /* run folder; NULL: nothing is stored */
    bool resume;                         /* continue the run in folder */
    uint64_t seed;
    const char *operators;               /* "semantic,tree,constants"; NULL: all that apply */
    const char *archive, *selector;      /* NULL: the problem's */
    uint32_t workers;                    /* 0: as many as cores */
    int level;                           /* sandbox level; 0: the best there is, at least 2 */
    bool unsafe;                         /* level 1 allowed */
    bool force_tcc;
    enum elm_keep keep;
    uint64_t evaluations;                /* budgets; 0: none */
    double minutes;
    double target;                       /* NaN: none */
    const char *backend;                 /* NULL: no model is asked */
    struct elm_backend_def model;        /* of the backend; `lanes` is chosen here */
    const char *operator_model;          /* of tree operators with one of their own; NULL: the built-in */
    double model_share;                  /* of the listed cost, for operators that ask a model, 0..1:
                                            one where there are no others */
    const char *prompts_folder;          /* the user's own prompt files; NULL: built in */
    const char *cache_folder;            /* for judges; NULL: the user's */
    uint64_t snapshot_attempts;          /* between snapshots; 0: 100,000, or a tenth of the run */
    /* Nullable: called on the search thread for every candidate evaluated, in order of id; not when
     * a stored run is told again. */
    void (*told)(void *ctx, const struct elm_told *t);
    void *told_ctx;
    /* Nullable: called on the search thread for every change of the archive, when a stored run is
     * told again too; one that goes on from a snapshot begins with its elites, of no known parent. */
    void (*changed)(void *ctx, const struct elm_change *c);
    void *changed_ctx;
};
struct elm_search_def elm_default_search_def(void);

struct elm_operator_stats {
    const char *name;
    const char *idle_why;          /* not active for this problem, and why; NULL if active */
    uint64_t attempts, evaluations, better, admitted;
    double share;                  /* of the budget, recently */
};
struct elm_search_stats {
    uint64_t attempts, evaluations, ok, batches;
    uint64_t by_status[ELM_EVAL_STATUSES];
    struct elm_archive_stats archive;
    struct elm_operator_stats operators[ELM_OPERATORS_MAX];
    uint32_t operator_count;
    int64_t best_id;
    double seed_fitness;
    int64_t wall_us;               /* of this process's part of the run */
    int64_t first_candidate_us;    /* from elm_search_open to the first evaluated candidate */
    int level;
    bool noisy;                    /* the seed does not score the same twice */
    bool has_model;
    struct elm_backend_totals model;       /* has_model only */
};

struct elm_search;
/* Loads or makes the run, starts cages, evaluates the seed (a failing seed is ELM_USAGE with its status and reason).
 * Fails: as its parts; ELM_USAGE names the definition's field. */
enum elm_status elm_search_open(const struct elm_search_def *def, struct elm_search **out,
                                struct elm_error *err);
enum elm_search_end { ELM_END_BUDGET, ELM_END_TARGET, ELM_END_STOPPED, ELM_END_EXHAUSTED };
/* Runs until a budget is spent, the target reached or stop asked. `tick` (nullable) is called about
 * every 100 ms on this thread with fresh statistics; it returns false to stop. Everything told is
 * on disk when it returns. May be called again to go on. A run that asks a model and stops tells all
 * that was asked, since those answers were paid for; what the same process asks next has then seen the
 * outcomes of more batches than in an undisturbed run. To end as that one does, close it and open it
 * again: what is stored is told in its order. */
enum elm_status elm_search_run(struct elm_search *s,
                               bool (*tick)(void *ctx, const struct elm_search_stats *stats),
                               void *ctx, enum elm_search_end *end, struct elm_error *err);
void elm_search_stats(const struct elm_search *s, struct elm_search_stats *out);
/* CPU time of this process's part of the run: the thread that opened it, which alone may ask, workers,
 * model threads and cages. */
int64_t elm_search_cpu_us(const struct elm_search *s);
/* Hash of the archive as told so far: equal for equal runs. */
uint64_t elm_search_hash(const struct elm_search *s);
/* Text of an elite (-1: the best). Appended to out. */
enum elm_status elm_search_text(struct elm_search *s, int64_t id, struct elm_buf *out,
                                struct elm_error *err);
/* Calls `each` for every elite in the archive's order. */
void elm_search_elites(struct elm_search *s, void (*each)(void *ctx, const struct elm_elite *e),
                       void *ctx);
enum elm_status elm_search_close(struct elm_search *s, struct elm_error *err);

/* The problem that a stored run works on, found again by what the run recorded. */
enum elm_status elm_search_problem(const char *folder, const char *problems_path,
                                   struct elm_problem **out, struct elm_error *err);

/* Rebuilds the archive of a stored run from its event log, evaluating nothing, and compares with what the run
 * recorded at its end. ELM_CORRUPT when they differ. */
struct elm_replay_report {
    uint64_t attempts, admitted;
    uint64_t hash, recorded_hash;      /* recorded_hash 0: the run never ended cleanly */
    int64_t best_id;
    double best;
};
enum elm_status elm_search_replay(const char *folder, const char *problems_path,
                                  struct elm_replay_report *out, struct elm_error *err);

/* Tells a stored run again as a replay does; `changed` as in elm_search_def. */
enum elm_status elm_search_retell(const char *folder, const char *problems_path,
                                  void (*changed)(void *ctx, const struct elm_change *c), void *ctx,
                                  struct elm_error *err);

/* The best program of a stored run, evaluated again: scored and audit cases, in the VM or tcc and
 * under gcc -O2; `minimise` first removes every hunk of its difference from the seed that is not
 * needed to keep the fitness (delta debugging, Zeller & Hildebrandt 2002). */
struct elm_best_report {
    int64_t id;
    struct elm_buf text;               /* of the program to export; release it */
    struct elm_buf picture;            /* SVG; empty if the judge makes none; release it */
    struct elm_evaluation scored, audit, scored_gcc;
    double seed_scored, seed_audit;
    bool agrees;                       /* gcc -O2 within the problem's tolerance */
    uint32_t hunks_before, hunks_after;    /* minimise only */
};
enum elm_status elm_search_best(struct elm_keeper *keeper, const char *folder,
                                const char *problems_path, int64_t id /* -1: the best */,
                                bool minimise, int level, struct elm_best_report *out,
                                struct elm_error *err);

#endif
