/*
 * sandbox: runs programs that nobody trusts. One evaluator per worker thread; each has cages of its
 * own (a runner, a compiler, a judge), all forked by the keeper, a small process started before any
 * thread or model, so that elm itself never forks. The static helper binary (`elm-cage`) is
 * embedded in libelm and started through memfd + execveat.
 *
 * Levels: 3 full cage (user, pid, mount, net, ipc, uts, cgroup namespaces, empty root, no
 * capabilities, seccomp, Landlock, rlimits); 2 where user namespaces are forbidden: exec'd empty
 * zygote, seccomp, Landlock, rlimits; 1 rlimits and seccomp only: refused without `unsafe`.
 *
 * What becomes of a program. Core C runs in the virtual machine inside the runner; anything else is
 * compiled by libtcc in a process that holds nothing else, and runs in a forked child whose only
 * system call is exit. It may include math.h stdlib.h string.h stdint.h stdio.h stdbool.h float.h
 * limits.h stddef.h, which are elm's own; printing goes nowhere, the heap is memory_mb. Outputs
 * start as zeros and are copied after the child's death.
 *     crashed   undefined behaviour in the VM, a signal, abort
 *     timeout   out of fuel (VM), more than cpu_ms of CPU time, or a second to compile
 *     memory    heap or static variables beyond memory_mb
 *     refused   a system call; outside the VM where the judge needs steps
 *     invalid   exit before answering, an output that is not finite, the judge says so
 *     fault     the runner, the compiler or the judge died of it twice
 *
 * Rounds (elm/judge.h): judge and runner play a batch without elm. A compiled program stays in its
 * child from its first question on; besides exit it may read one counter, which says that there is
 * a question, and write another, which says that there is an answer. It sees the questions of its
 * own lanes, which it can't write, and has cpu_ms for all rounds. An answer that does not come is
 * a timeout. Answers that are not finite are for the judge.
 *
 * A command (`elm run --file F --score CMD`) is the user's own and runs in a copy of F's folder
 * (64 MiB at most) with the program in place of F, with PATH and nothing else of the environment, at
 * most 2 GiB, 256 processes and 60 s of wall time, or once a program has been scored 20 times what
 * that took, no less than 2 s; sockets are refused. At level 3 the copy lies over the
 * folder itself, nothing else can be written but /tmp and /dev/shm, which are its own, and all its
 * processes end with it. At level 2 the copy is a folder in /tmp. Not contained: it may read every
 * file that its user may read, and at level 2 see the user's other processes.
 */
#ifndef ELM_SANDBOX_H
#define ELM_SANDBOX_H

#include "elm/code.h"
#include "elm/problem.h"
#include "elm/program.h"

struct elm_keeper;
/* Starts the keeper. Call once, first thing, while the process is small and has no threads. */
enum elm_status elm_keeper_open(struct elm_keeper **out, struct elm_error *err);
void elm_keeper_close(struct elm_keeper *k);

struct elm_sandbox_report {
    int level;                    /* 3, 2, 1 or 0 (nothing works): the best this machine gives */
    bool user_namespaces, seccomp, cpu_timer;
    bool cgroups;                 /* memory and process limits of whole cages */
    int landlock_abi;             /* 0: none */
    char note[256];               /* why not level 3, and what to do; "" at level 3 */
};
/* Tries each mechanism for real (a few ms). */
enum elm_status elm_sandbox_probe(struct elm_keeper *k, struct elm_sandbox_report *out,
                                  struct elm_error *err);

/* Compiles a problem's judge.c, or what elm_judge_text writes, with gcc -O2 -static, cached by hash in cache_folder (made if need
 * be; NULL: $XDG_CACHE_HOME/elm or ~/.cache/elm). Returns the path of the program, to be freed.
 * Fails: ELM_PARSE with the compiler's first error line, ELM_NOT_FOUND (no gcc: how to get it). */
enum elm_status elm_judge_build(const struct elm_problem *p, const char *cache_folder, char **path,
                                struct elm_error *err);

/* The C text of the judge that elm writes for `judge: reference`. Appended. */
void elm_judge_text(const struct elm_problem *p, struct elm_buf *out);

struct elm_evaluator_def {
    struct elm_keeper *keeper;
    const struct elm_problem *problem;
    const char *judge_path;        /* from elm_judge_build; NULL for ELM_JUDGE_COMMAND */
    int level;                     /* 3, 2, 1: the level to use */
    bool force_tcc;                /* never use the VM */
};
struct elm_evaluator;
/* Starts the cages, makes the cases. Fails: ELM_SANDBOX, ELM_PARSE (judge's layout doesn't match
 * problem.yaml: both are named). */
enum elm_status elm_evaluator_open(const struct elm_evaluator_def *def, struct elm_evaluator **out,
                                   struct elm_error *err);
void elm_evaluator_close(struct elm_evaluator *e);

enum elm_tier { ELM_TIER_FAST /* VM or tcc */, ELM_TIER_GCC /* gcc -O2, caged: tens of ms */ };
struct elm_job {
    const struct elm_tree *tree;          /* checked; NULL outside core C */
    struct elm_str text;                  /* needed when tree is NULL; else printed from tree */
    const struct elm_tree *opponent;      /* comparison judge: the `a` of compare; else NULL */
    struct elm_str opponent_text;
    struct elm_evaluation evaluation;     /* out */
};
#define ELM_JOBS_MAX 64
/* Evaluates up to ELM_JOBS_MAX jobs on a set. Statuses of single jobs are data; the call fails
 * only when the cages can't be kept alive (ELM_SANDBOX; died cages are restarted and the jobs
 * retried once, then marked ELM_EVAL_FAULT). The thread that opened the evaluator. */
enum elm_status elm_evaluator_run(struct elm_evaluator *e, struct elm_job *jobs, uint32_t count,
                                  enum elm_set set, enum elm_tier tier, struct elm_error *err);
/* The shown cases and wanted outputs; borrowed until close. want NULL where the judge has none. */
void elm_evaluator_evidence(struct elm_evaluator *e, uint32_t *case_count, const void **in,
                            const void **want, const uint8_t **want_mask);
/* Outputs of the last elm_evaluator_run's job i (cases * out_bytes), borrowed until the next;
 * zeros where the job is not OK. */
const void *elm_evaluator_outputs(struct elm_evaluator *e, uint32_t job);
/* Pass bits of the last run's job i, one byte a case. */
const uint8_t *elm_evaluator_passes(struct elm_evaluator *e, uint32_t job);
/* Runs one program; the judge's SVG on the scored cases, or one line a wrong shown case, at most
 * cases_max. ELM_NOT_FOUND: the judge makes none, or (picture) the program fails. */
enum elm_status elm_evaluator_picture(struct elm_evaluator *e, struct elm_job *job,
                                      struct elm_buf *svg, struct elm_error *err);
enum elm_status elm_evaluator_explain(struct elm_evaluator *e, struct elm_job *job,
                                      uint32_t cases_max, struct elm_buf *text,
                                      struct elm_error *err);
struct elm_evaluator_totals {
    uint64_t vm_runs, tcc_runs, gcc_runs, restarts, near_limit;   /* near_limit: verdicts within
                                                   25 % of the CPU limit: say so */
    uint64_t cpu_us;               /* of all cages, reaped children included */
};
void elm_evaluator_totals(struct elm_evaluator *e, struct elm_evaluator_totals *out);

#endif
