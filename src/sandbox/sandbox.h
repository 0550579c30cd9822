/* sandbox: the parts of the evaluator that live in elm. Private to src/sandbox. */
#ifndef ELM_SANDBOX_SANDBOX_H
#define ELM_SANDBOX_SANDBOX_H

#include <pthread.h>

#include "elm/sandbox.h"
#include "sandbox/cage.h"

extern const char elm_embed_cage[], elm_embed_cage_end[];
extern const char elm_embed_judge_h[], elm_embed_judge_h_end[];
extern const char elm_embed_wire_h[], elm_embed_wire_h_end[];
extern const char elm_embed_judge_main[], elm_embed_judge_main_end[];
extern const char elm_embed_judge_formula[], elm_embed_judge_formula_end[];
extern const char elm_embed_judge_reference[], elm_embed_judge_reference_end[];

/* Memory shared through a descriptor; grows on touch. */
struct shared {
    int fd;
    uint8_t *memory;
    size_t bytes;
};
enum elm_status shared_make(struct shared *s, const char *name, size_t bytes,
                            struct elm_error *err);
void shared_release(struct shared *s);
/* A descriptor of the same memory that can't be written through; the caller closes it. */
int shared_read_only(const struct shared *s);
/* A memfd with these bytes that can never change again. */
enum elm_status sealed_make(const char *name, struct elm_str bytes, bool program, int *fd,
                            struct elm_error *err);

/* ---- keeper.c ---- */
struct elm_keeper {
    int socket;
    int pid;
    pthread_mutex_t lock;      /* workers restart their cages at the same time */
};
enum elm_status keeper_ask(struct elm_keeper *k, const struct keeper_request *q, const int *fds,
                           uint32_t fd_count, struct keeper_reply *reply, struct elm_error *err);

/* ---- cage.c: one caged process ---- */
struct cage {
    struct elm_keeper *keeper;
    uint32_t kind;
    int socket;                /* -1: not running */
    int pid;
    bool cgroup;
    uint64_t cpu_us;           /* of those that ended */
    uint64_t live_cpu_us;      /* of the one that runs, as it last said */
    int wait_status;           /* of the last one that ended */
};
struct cage_def {
    struct elm_keeper *keeper;
    uint32_t kind, level, memory_mb, processes;
    int program;               /* CAGE_JUDGE; else -1 */
    const char *folder;        /* CAGE_COMMAND; else NULL */
};
/* Starts it and waits for its first packet, hello_bytes long and beginning with `ready`. */
enum elm_status cage_start(struct cage *c, const struct cage_def *def, uint32_t ready,
                           void *hello, size_t hello_bytes, struct elm_error *err);
void cage_stop(struct cage *c);
struct cage_call {
    struct cage *cage;
    const void *q;
    size_t q_bytes;
    void *reply;
    size_t reply_min, reply_cap;
};
/* The same of two that talk to each other meanwhile: when one dies or is late, both are stopped. */
enum elm_status cage_ask_pair(const struct cage_call calls[2], uint32_t timeout_ms);
/* One packet out, one in. ELM_SANDBOX: it died or took longer than timeout_ms; it is stopped. */
enum elm_status cage_ask(struct cage *c, const void *q, size_t q_bytes, const int *fds,
                         uint32_t fd_count, void *reply, size_t reply_min, size_t reply_cap,
                         uint32_t timeout_ms);

/* ---- evaluator.c ---- */
struct cases {
    uint32_t count;
    uint8_t *in;
    int fd;                    /* sealed; -1: not made yet */
    uint64_t hash;
};

/* A program to run: a job's, or its opponent. */
struct run {
    const struct elm_tree *tree;       /* NULL: text only */
    struct elm_str text;               /* borrowed; ptr NULL: printed at printed_at */
    size_t printed_at;
    uint32_t include_bytes;            /* printed before the program, and no cost of it */
    uint32_t slot;
    bool native, retried, judged;
    struct code code;
    enum elm_eval_status status;
    struct elm_cost cost;
    char why[96];
};

/* Jobs have the slots below ELM_JOBS_MAX, opponents those above: their outputs stay there. */
struct known {
    uint64_t key;              /* program, set and tier; 0: free */
    uint64_t used;             /* number of the run that last used it */
};
#define OPPONENT_SLOTS (RUN_JOBS_MAX - ELM_JOBS_MAX)

/* What judge and runner share to play in rounds; elm only hands it to both. */
struct table {
    struct shared boards[2];   /* enum play_side */
    uint64_t board_bytes[2], kept_bytes;
    int words[2], ends[2];     /* pipes */
    int counters[PLAY_FDS - PLAY_FD_ASKED];
};

struct elm_evaluator {
    struct elm_keeper *keeper;
    const struct elm_problem *problem;
    int level;
    bool force_tcc;
    int judge_program;
    struct judge_hello judge_hello;
    struct cage runner, compiler, gcc, judge, command;
    uint64_t command_us;               /* wall time of the first score; 0: none yet */
    struct shared vm_code, text, window, builds, results, judge_memory;
    struct table table;
    struct cases sets[ELM_SETS];
    size_t slot_bytes;
    uint8_t *want, *want_mask, *zeros;

    struct elm_buf code, printed, shim;
    struct run runs[RUN_JOBS_MAX];     /* by slot */
    struct known known[OPPONENT_SLOTS];
    uint64_t run_number;
    uint32_t compiled_since_start;
    uint8_t passes[ELM_JOBS_MAX][ELM_CASES_MAX];
    bool finished[ELM_JOBS_MAX];       /* outputs of the job are whole */
    struct elm_evaluator_totals totals;
    char gcc_path[256];
};

enum elm_status evaluator_start_runner(struct elm_evaluator *e, struct elm_error *err);
enum elm_status evaluator_start_compiler(struct elm_evaluator *e, enum elm_tier tier,
                                         struct elm_error *err);
/* Makes a set's cases if they aren't there. */
enum elm_status evaluator_need_set(struct elm_evaluator *e, enum elm_set set,
                                   struct elm_error *err);

/* ---- judging.c: the judge process ---- */
enum elm_status judge_start(struct elm_evaluator *e, struct elm_error *err);
/* What the judge said of one item: index among those it was asked for. */
void judge_take(struct elm_evaluator *e, uint32_t index, struct elm_job *job, struct run *run,
                bool opponent_failed, enum elm_set set);
/* Asks; starts a dead judge again and asks once more. */
enum elm_status judge_ask(struct elm_evaluator *e, const struct judge_request *q,
                          struct judge_reply *reply, struct elm_error *err);
enum elm_status judge_make(struct elm_evaluator *e, enum elm_set set, struct elm_error *err);
enum elm_status judge_want(struct elm_evaluator *e, struct elm_error *err);
enum elm_status judge_jobs(struct elm_evaluator *e, struct elm_job *jobs, struct run **of,
                           struct run **opponents, uint32_t count, enum elm_set set,
                           struct elm_error *err);

/* ---- playing.c: rounds ---- */
void play_init(struct elm_evaluator *e);     /* before play_open or play_close */
enum elm_status play_open(struct elm_evaluator *e, uint32_t cases, struct elm_error *err);
void play_close(struct elm_evaluator *e);
/* What a judge needs besides: it has copies of all boards. */
uint32_t play_memory_mb(const struct elm_evaluator *e);
/* Hands a started judge or runner its side of the table. */
enum elm_status play_join(struct elm_evaluator *e, bool judge, struct elm_error *err);
enum elm_status play_jobs(struct elm_evaluator *e, struct elm_job *jobs, struct run **of,
                          struct run **opponents, uint32_t count, enum elm_set set,
                          enum elm_tier tier, struct elm_error *err);

/* ---- running.c: programs to outputs ---- */
/* Chooses how a program runs and compiles it for the virtual machine, to code_bytes on; fails it
 * where it can't. */
void run_prepare(struct elm_evaluator *e, struct run *r, enum elm_tier tier, size_t *code_bytes);
/* What the virtual machine said. */
void run_take_vm(struct run *r, const struct run_result *result);
void run_fail(struct run *r, enum elm_eval_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints the tree with the headers that a compiler wants, and sets what it costs. */
void run_print(struct elm_evaluator *e, struct run *r);
struct elm_str run_text(const struct elm_evaluator *e, const struct run *r);
/* native.c */
/* Compiles all; each has its code then, or failed. */
enum elm_status native_build(struct elm_evaluator *e, struct run **runs, uint32_t count,
                             enum elm_tier tier, struct elm_error *err);
/* What became of a child. True when the verdict stands; false: run it again. */
bool native_take(struct elm_evaluator *e, struct run *r, const struct run_result *result);
uint64_t native_shim(const struct elm_evaluator *e);
uint32_t native_wall_ms(const struct elm_evaluator *e);
enum elm_status native_run(struct elm_evaluator *e, struct run **runs, uint32_t count,
                           enum elm_set set, enum elm_tier tier, struct elm_error *err);

/* ---- command.c: ELM_JUDGE_COMMAND ---- */
enum elm_status command_run(struct elm_evaluator *e, struct elm_job *job, struct elm_error *err);

/* ---- shim.c: C text that calls the entry for each case; in rounds, for each live one ---- */
void shim_write(const struct elm_io *io, bool rounds, struct elm_buf *out);

/* Where a program of this name is on PATH; false: nowhere. */
bool program_find(const char *name, char *path, size_t cap);

#endif
