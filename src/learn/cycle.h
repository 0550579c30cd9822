/* cycle: what one cycle holds. Private to src/learn/cycle*.c. */
#ifndef ELM_LEARN_CYCLE_H
#define ELM_LEARN_CYCLE_H

#include "elm/cycle.h"

struct elm_cycle {
    struct elm_cycle_def def;          /* strings of the caller's */
    const struct elm_trainer_kind *trainer;
    uint64_t base_hash;
    int lock;
    bool quality;                      /* runs are compared by QD: every problem has niches, none a target */
    char *base;                        /* paths; NULL: the trainer starts from nothing */
    char *current;                     /* the weights in use; NULL: none yet */
    struct elm_cycle_round rounds[ELM_CYCLE_ROUNDS_MAX];
    uint32_t done;                     /* finished rounds */
    bool (*tick)(void *ctx, const struct elm_cycle_progress *p);
    void *tick_ctx;
    struct elm_cycle_progress progress;
};

/* Appends a path in the folder; round 0: not in a round's. */
void cycle_path(const struct elm_cycle *c, uint32_t round, const char *name, struct elm_buf *out);
char *cycle_path_of(const struct elm_cycle *c, uint32_t round, const char *name);    /* free() */
enum elm_status cycle_folder(const char *path, struct elm_error *err);
bool cycle_there(const char *path);
enum elm_status cycle_copy(const char *from, const char *to, struct elm_error *err);
/* Seeds that no other purpose and round has. */
enum cycle_purpose { CYCLE_FOR_SOLVE = 1, CYCLE_FOR_GATE, CYCLE_FOR_REPORT, CYCLE_FOR_TRAIN };
uint64_t cycle_seed(const struct elm_cycle *c, enum cycle_purpose purpose, uint32_t round);
/* ELM_STOPPED when the caller wants no more. */
enum elm_status cycle_tick(struct elm_cycle *c, double done, double all, struct elm_error *err);
/* From the beginning of the cycle to the end of the gate of `round`: all that its operator has cost. */
double cycle_cpu_s(const struct elm_cycle *c, uint32_t round);

/* cycle_file.c: solve.json and so on of a round. */
enum elm_status cycle_step_read(struct elm_cycle *c, uint32_t round, enum elm_cycle_step step,
                                bool *there, struct elm_error *err);
enum elm_status cycle_step_write(struct elm_cycle *c, uint32_t round, enum elm_cycle_step step,
                                 struct elm_error *err);
/* A round as an object for programs, and nothing else. */
char *cycle_round_json(const struct elm_cycle_round *r, uint32_t round);    /* free() */
void cycle_round_clear(struct elm_cycle_round *r);

/* What became of one search, kept beside its folder. */
struct cycle_finding {
    double solved;                     /* 1, 0; NaN: there is no target */
    double evaluations, attempts, ok;
    double asked, better;              /* the model's children that were evaluated, and better */
    double best, cpu_s;
    double qd, coverage;               /* NaN: the archive has no niches */
};
enum elm_status cycle_finding_read(const char *path, struct cycle_finding *out, bool *there,
                                   struct elm_error *err);
enum elm_status cycle_finding_write(const char *path, const struct cycle_finding *f,
                                    struct elm_error *err);

/* What making a control has taken, or, in the plan for it, may take. */
struct cycle_making {
    double steps, cpu_s;
};
enum elm_status cycle_making_read(const char *path, struct cycle_making *out, bool *there,
                                  struct elm_error *err);
enum elm_status cycle_making_write(const char *path, const struct cycle_making *m,
                                   struct elm_error *err);

/* cycle_open.c: is this control wanted? */
bool cycle_controls(const struct elm_cycle *c, const char *name);

/* The steps: each fills its part of the round. */
enum elm_status cycle_solve(struct elm_cycle *c, uint32_t round, struct elm_error *err);
enum elm_status cycle_train(struct elm_cycle *c, uint32_t round, struct elm_error *err);
enum elm_status cycle_gate(struct elm_cycle *c, uint32_t round, struct elm_error *err);
enum elm_status cycle_measure(struct elm_cycle *c, uint32_t round, struct elm_error *err);

/* Trains into `out` on what the rounds up to this one have collected; step 0: that is nothing. `how` is the
 * cycle's own definition but for what a control has otherwise. */
enum elm_status cycle_train_round(struct elm_cycle *c, uint32_t round,
                                  const struct elm_train_def *how, const char *out,
                                  struct elm_train_stats *stats, struct elm_error *err);
/* Trains into `out`, going on from its checkpoint if there is one. */
enum elm_status cycle_train_into(struct elm_cycle *c, const struct elm_train_def *def,
                                 struct elm_train_stats *stats, struct elm_error *err);
/* The numbers of corruptions of a round's problems: where those before lie by what they gave. */
void cycle_hardness(struct elm_cycle *c, uint32_t round);

/* The generator of a round's problems; problem i is its number i * CYCLE_SPREAD, since in the stream of
 * training 16 numbers in a row share a target. */
#define CYCLE_SPREAD 17
enum elm_status cycle_generator(const struct elm_cycle *c, uint32_t round, struct elm_generator **out,
                                struct elm_error *err);
/* cycle_annecs.c: of the rounds up to this one, whose searches are done. */
enum elm_status cycle_annecs(struct elm_cycle *c, uint32_t rounds, struct elm_error *err);

/* cycle_compare.c */
struct cycle_comparison {
    const struct elm_compare_arm *arms;
    uint32_t arm_count;
    enum elm_stream stream;            /* where problems are generated */
    uint64_t seed;                     /* of the stream, or of the first run */
    uint32_t corruptions_min, corruptions_max;
    uint32_t pairs;                    /* problems, or seeds */
    const char *folder;
};
/* Opens and runs; to be closed by elm_compare_close. */
enum elm_status cycle_compare(struct elm_cycle *c, const struct cycle_comparison *what,
                              struct elm_compare **out, struct elm_error *err);
void cycle_arm(const char *name, const char *operators, const char *archive, const char *file,
               struct elm_compare_arm *out);

/* cycle_report.c: report.md, rounds.svg, cycle-report.json. */
enum elm_status cycle_report(const struct elm_cycle *c, struct elm_error *err);

#endif
