/*
 * state: what one run holds while it runs. Private to src/search; the search thread owns all of
 * it but what `pipeline` says workers touch.
 */
#ifndef ELM_SEARCH_STATE_H
#define ELM_SEARCH_STATE_H

#include "elm/search.h"

/* ---- seen: hashes of the normal forms of every program evaluated ---- */
struct seen {
    uint64_t *slots;       /* open addressing, 0 = empty */
    uint64_t count, cap;   /* cap: power of two */
};
/* Adds a hash (not 0); false when it was there. */
bool seen_add(struct seen *s, uint64_t hash);
bool seen_has(const struct seen *s, uint64_t hash);
void seen_release(struct seen *s);

/* ---- cases: what a program passes, where the selector needs to know ---- */
struct passes {
    uint32_t len;                          /* 0: nobody needs it */
    uint8_t bits[ELM_CASES_MAX / 8];       /* as in elm_attempt */
};
/* pass: a byte a case. */
void passes_set(struct passes *p, const uint8_t *pass, uint32_t cases);
void passes_load(struct passes *p, struct elm_str bits);

/* ---- held: admitted programs that are still needed (elites, parents of what is in flight) ---- */
#define HELD_GONE_MAX 64
struct held {
    int64_t id;
    int64_t parent;                /* -1: none, or from a snapshot */
    uint32_t refs;
    struct elm_tree tree;          /* count 0 outside core C */
    struct elm_buf text;           /* only outside core C */
    uint8_t *editable;
    uint32_t editable_count;
    struct elm_evaluation evaluation;
    struct elm_buf wrong;          /* what the judge says of it; made when first asked for */
    bool explained;
    struct elm_buf broken;         /* its newest child that failed, for `repair` */
    char broken_why[48];
    uint32_t group;                /* of the archive: where it contended */
    struct passes passes;
    uint64_t *lines;               /* hashes of its lines, sorted */
    uint32_t line_count;
    uint64_t gone[HELD_GONE_MAX];  /* lines its ancestors deleted, newest last */
    uint32_t gone_count;
};
struct held_map {
    struct held **slots;
    uint32_t count, cap;
};
/* Takes tree or text. Starts with one reference. */
struct held *held_new(struct held_map *map, int64_t id, struct elm_tree *tree,
                      struct elm_str text, const struct elm_names *names,
                      const struct elm_evaluation *e);
struct held *held_find(const struct held_map *map, int64_t id);
struct held *held_ref(struct held *h);               /* NULL stays NULL */
void held_unref(struct held_map *map, struct held *h);
void held_release(struct held_map *map);             /* frees all, whatever the references */
/* Fills child->gone from its parent's and from what is missing. */
void held_inherit(struct held *child, const struct held *parent);
/* Does a tree bring back a line that `parent` or its ancestors deleted? */
bool held_reintroduces(const struct held *parent, const struct elm_tree *child);

/* ---- bandit: shares the budget between operators ---- */
struct bandit {
    uint32_t count;
    double price_us[ELM_OPERATORS_MAX];
    double won[ELM_OPERATORS_MAX], lost[ELM_OPERATORS_MAX];    /* discounted */
    double drawn[ELM_OPERATORS_MAX];                           /* discounted, for `share` */
};
/* One of the arms first .. end-1. */
uint32_t bandit_draw(struct bandit *b, uint32_t first, uint32_t end, struct elm_rng *rng);
void bandit_tell(struct bandit *b, uint32_t arm, bool better);
/* The discounted count of draws; part of the ask. */
void bandit_count(struct bandit *b, uint32_t arm);

/* ---- candidates and batches ---- */
struct candidate {
    struct elm_attempt attempt;    /* edit and text are set when it is stored */
    size_t edit_at, edit_len;      /* in batch->edits */
    size_t text_at, text_len;      /* in batch->texts, of an admitted program */
    bool evaluate;
    struct elm_tree tree;          /* released or taken at tell */
    struct held *parent;           /* reference; NULL for the seed */
    struct held *opponent;         /* reference; comparison judge and races */
    struct held *again;            /* reference: the program of a rematch */
    struct elm_evaluation evaluation;
    struct passes passes;
};
struct batch {
    int64_t number;
    struct candidate *items;
    uint32_t count, cap;
    struct elm_buf edits;
    struct elm_buf texts;
    bool stored;                   /* read from the store: nothing to evaluate or append */
    uint32_t waiting;              /* jobs not yet evaluated; guarded by the pipeline's lock */
};
void batch_free(struct held_map *map, struct batch *b);
struct candidate *batch_add(struct batch *b);

/* ---- pipeline: workers that evaluate jobs of whole batches ---- */
struct pipeline;
struct pipeline_def {
    struct elm_evaluator **evaluators;     /* [workers], taken */
    uint32_t workers;
    uint32_t chunk;                        /* candidates a worker takes at a time */
    bool noisy;                            /* race every promising child against its parent */
    bool passes;                           /* fill them in */
    const struct elm_names *names;
};
enum elm_status pipeline_open(const struct pipeline_def *def, struct pipeline **out,
                              struct elm_error *err);
void pipeline_close(struct pipeline *p);   /* waits for what is being evaluated; drops the rest */
void pipeline_submit(struct pipeline *p, struct batch *b);
int64_t pipeline_cpu_us(struct pipeline *p);    /* of workers and cages, as of their last chunk */
/* Waits up to timeout_ms for b. ELM_STOPPED: not done yet. A worker's failure is returned here. */
enum elm_status pipeline_wait(struct pipeline *p, struct batch *b, int timeout_ms,
                              struct elm_error *err);
/* Evaluates one candidate by the paired race with its parent (users-and-faults: 1-2-4-8-16 pairs,
 * accept z > 2.5, drop z < 0.5). */
enum elm_status race_run(struct elm_evaluator *e, struct elm_job *child, struct elm_job *parent,
                         enum elm_better *better, struct elm_error *err);

/* ---- sampler: threads that have requests answered by the backend ---- */
struct sampler;
struct sampler_def {
    const struct elm_backend_kind *kind;
    struct elm_backend_def backend;        /* lanes is set by the sampler */
    uint32_t lanes;
};
enum elm_status sampler_open(const struct sampler_def *def, struct sampler **out,
                             struct elm_error *err);
void sampler_close(struct sampler *s);     /* cancels what is pending */
/* Has all requests answered. A lane takes whole groups of `group` requests. Everything borrowed until
 * sampler_wait says that it is done. */
void sampler_submit(struct sampler *s, const struct elm_request *requests, uint32_t count,
                    uint32_t group, struct elm_reply *replies);
/* Waits up to timeout_ms. *done when no request is open any more; then the first failure of a call
 * is returned: ELM_STOPPED (cancelled), ELM_RANGE (a budget is spent), or what broke. */
enum elm_status sampler_wait(struct sampler *s, int timeout_ms, bool *done, struct elm_error *err);
void sampler_cancel(struct sampler *s);
double sampler_price_us(const struct sampler *s, uint32_t tokens);
void sampler_totals(struct sampler *s, struct elm_backend_totals *out);
int64_t sampler_cpu_us(const struct sampler *s);    /* of its threads */

/* ---- the run ---- */
struct rematch {
    struct held *child;        /* reference */
    struct held *opponent;     /* reference */
    uint32_t met;              /* opponents so far */
};
#define REMATCH_MAX 8

struct case_table {
    struct elm_case_table table;
    uint64_t *bits;
    bool fresh;                /* nothing was admitted or moved since it was made */
};

struct elm_search {
    struct elm_search_def def;
    struct elm_problem *problem;               /* borrowed, const but for names */
    const struct elm_archive_kind *archive_kind;
    const struct elm_selector_kind *selector_kind;
    void *archive;
    const struct elm_operator_kind *operators[ELM_OPERATORS_MAX];    /* active */
    void *operator_self[ELM_OPERATORS_MAX];
    uint32_t operator_count;
    uint32_t model_first;                      /* operators from here on ask a model */
    struct sampler *sampler;                   /* NULL: no model */
    struct elm_buf model_name, own_model;      /* of a resumed run */
    struct elm_evaluator *explainer;           /* the search thread's own; opened when first needed */
    bool spent;                                /* a budget of the backend is used up */
    uint32_t silent;                           /* model batches in a row without any answer */
    int64_t silent_until;                      /* no model batch before this one */
    struct consultation *pending;              /* what a model is asked, also over a stop */
    bool recalls;                              /* there may be answers of an earlier part of the run */
    bool (*waiting)(struct elm_search *s);     /* called while a model is waited for; false: stop */
    struct ticker *ticker;                     /* of the running elm_search_run */
    struct elm_operator_stats operator_stats[ELM_OPERATORS_MAX];
    uint32_t operator_stats_count;             /* active ones first, then idle ones */
    struct bandit bandit;
    uint32_t stable_names;                     /* names below are the same in every process */
    struct seen seen;
    struct held_map held;
    struct elm_pool *pool;
    struct elm_evidence evidence;
    struct elm_vm_memory *vm;
    struct elm_arena arena;
    struct rematch *rematches;
    uint32_t rematch_count, rematch_cap;
    struct case_table cases;
    uint32_t case_count;                       /* scored ones; known where programs are run */

    int64_t next_ask, next_tell, next_attempt;
    struct batch *window[ELM_SEARCH_LAG];      /* by number % LAG; NULL when free */
    uint32_t barren;                           /* batches in a row with nothing to evaluate */

    struct elm_evaluator *first_evaluator;     /* owned by the pipeline once that is open */
    struct pipeline *pipeline;                 /* NULL while replaying */
    struct elm_store *store;                   /* NULL: nothing is stored */
    struct elm_buf snapshot;
    int64_t snapshot_ready;                    /* stored once this batch is; -1: none pending */
    int64_t snapshot_attempts;                 /* attempts at the last one */

    struct elm_search_stats stats;
    double seed_fitness;
    int64_t opened_us, opened_cpu_us;          /* the latter of the search thread */
    int64_t progress_us;
    bool noisy;
};

/* ask.c: makes batch s->next_ask. */
enum elm_status search_ask(struct elm_search *s, struct batch *b, struct elm_error *err);
/* consult.c: a batch of the operators that ask a model, all of it at once. */
bool consult_wanted(const struct elm_search *s, int64_t number);
/* ELM_STOPPED: s->waiting said so; the next call, also that of a resumed run, asks what has no answer
 * yet. */
enum elm_status consult_ask(struct elm_search *s, struct batch *b, struct elm_error *err);
void consult_free(struct elm_search *s);
/* wrong.c: what shown cases a held program gets wrong, in words: made once, kept with it. */
enum elm_status wrong_cases(struct elm_search *s, struct held *h, struct elm_error *err);
/* ask.c, for consult.c */
uint32_t ask_batch_size(const struct elm_search *s);
struct candidate *ask_attempt(struct elm_search *s, struct batch *b);
struct held *ask_parents(struct elm_search *s, struct candidate *c, struct elm_rng *rng,
                         uint32_t wanted, struct elm_parent parents[2], uint32_t *count);
void ask_reject(struct candidate *c, enum elm_eval_status status, const char *why);
void ask_edits(struct elm_search *s, struct batch *b, struct candidate *c,
               const struct elm_edit *edits, uint32_t edit_count);
void ask_text(struct elm_search *s, struct batch *b, struct candidate *c, struct elm_str text);
/* Of the normal form and of which function is the entry; never 0. The same in every process. */
uint64_t search_hash(const struct elm_search *s, const struct elm_tree *t);
/* Counts a child asked of the elite with this id. */
void ask_count(struct elm_search *s, int64_t id);
struct elm_operator_context ask_context(struct elm_search *s);
/* The tree of a text that should be core C; false when it isn't. why (nullable) then says ELM_OUTSIDE
 * where a compiler would take it, but choose an order that C leaves open. */
bool search_read_text(struct elm_search *s, struct elm_str text, struct elm_tree *tree,
                      struct elm_error *why);
/* Repeats what asking a stored batch did to the state. */
enum elm_status search_ask_stored(struct elm_search *s, struct batch *b, struct elm_error *err);
/* tell.c: admits, counts, rewards; appends to the store unless b->stored. */
enum elm_status search_tell(struct elm_search *s, struct batch *b, struct elm_error *err);
enum elm_status search_tell_seed(struct elm_search *s, const struct elm_evaluation *e,
                                 const struct passes *passes, bool stored, struct elm_error *err);
/* cases.c: NULL where the selector needs none. Borrowed until the archive changes. */
const struct elm_case_table *cases_of_archive(struct elm_search *s);
/* snapshot.c */
void snapshot_take(struct elm_search *s, struct elm_buf *out);
enum elm_status snapshot_restore(struct elm_search *s, struct elm_str state,
                                 struct elm_error *err);
/* What def.changed is told, if anyone asked. */
void search_changed(const struct elm_search *s, struct elm_change change);
/* resume.c: the stored run into s. */
enum restore_mode {
    RESTORE_RESUME,      /* snapshot and log; the last batches stay untold, as the loop wants them */
    RESTORE_LOOK,        /* snapshot and log, everything told */
    RESTORE_REPLAY,      /* the log alone, everything told */
};
enum elm_status search_restore(struct elm_search *s, enum restore_mode mode,
                               struct elm_error *err);
/* Opens a stored run to look at: no cages, no workers; s->store is open for reading. */
enum elm_status search_look(const char *folder, const struct elm_problem *problem,
                            enum restore_mode mode, struct elm_search **out,
                            struct elm_error *err);
/* search.c: a state without cages, store or workers, for search_open and replay. */
enum elm_status search_make(const struct elm_search_def *def, struct elm_search **out,
                            struct elm_error *err);
void search_free(struct elm_search *s);
enum elm_status search_choose_operators(struct elm_search *s, const char *list, bool stored,
                                        struct elm_error *err);
int64_t search_thread_cpu_us(void);        /* of the calling thread */
/* open.c */
enum elm_status search_choose_level(struct elm_search_def *def, struct elm_error *err);
enum elm_status search_open_evaluator(const struct elm_search_def *def,
                                      struct elm_evaluator **out, struct elm_error *err);

#endif
