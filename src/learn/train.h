/* train: the loop's state, and its checkpoint. */
#ifndef LEARN_TRAIN_H
#define LEARN_TRAIN_H

#include "elm/trainer.h"
#include "learn/rule.h"
#include "model/team.h"

#define LOSSES 100               /* batches that a mean is over */
#define ANCHOR_STEPS 100         /* steps between two states that a divergence goes back to */

/* Where training stands: with the weights and the optimizer's state, all that the rest depends on. */
struct standing {
    uint64_t step, tokens, samples;
    uint64_t rollbacks;
    double rate_factor;          /* halved by every rollback */
    int64_t wall_us, cpu_us;
    uint64_t loss_count;         /* ever; the newest LOSSES are kept */
    double losses[LOSSES], extra[LOSSES][4];
};

struct train {
    const struct elm_train_def *def;
    const struct elm_trainer_kind *kind;
    void *self;
    const struct elm_optimizer_kind *optimizer;  /* NULL: rule */
    struct rule *rule;
    uint32_t slots;              /* of the optimizer */
    float own_rate;              /* the optimizer's */
    struct piece {
        uint32_t parameter;
        size_t first, count;
    } *pieces;                   /* that the optimizer steps at a time: tensors, or parts of them for a rule */
    uint8_t *ends;               /* [piece_count] enum rule_end */
    uint32_t piece_count;
    const struct elm_parameter *parameters;
    uint32_t count;
    size_t floats;               /* weights of all parameters */
    float *state;                /* [slots * floats]: a parameter's slots together */
    struct standing now, anchor;
    float *anchor_values;        /* weights, then state */
    struct team *team;
    double *norms;               /* [count]: squares of the gradient */
    float clip, rate;            /* of the step under way */
    double gradient_norm;
    char trouble[ELM_TRAIN_WHY_BYTES];   /* why it last went back */
    int64_t started_us, started_cpu_us;      /* of this call */
    int64_t earlier_wall_us, earlier_cpu_us; /* of earlier ones */
    uint64_t earlier_tokens, earlier_steps;
    int lock;
};

/* What a checkpoint must agree in to go on with this training. */
uint64_t train_fingerprint(const struct train *t);

/* ---- checkpoint.c ---- */
/* The file is whole or the one before. Fails: ELM_IO, ELM_FULL. */
enum elm_status checkpoint_write(const struct train *t, const char *path, struct elm_error *err);
/* Changes nothing when it fails: ELM_NOT_FOUND, ELM_CORRUPT, ELM_VERSION_TOO_NEW, ELM_USAGE (of
 * another training), ELM_IO. */
enum elm_status checkpoint_read(struct train *t, const char *path, struct elm_error *err);
/* Weights and state of all parameters, one after the other: [floats * (1 + slots)]. */
void train_save(const struct train *t, float *to);
void train_restore(struct train *t, const float *from);

/* ---- schedule.c ---- */
/* The share of the top rate at a share of the budget, 0..1. False: no such schedule. */
bool schedule_known(const char *name);
double schedule_share(const char *name, double warmup, double progress);

#endif
