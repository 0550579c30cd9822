/*
 * trainer: turns data into a better model. The loop — schedule, optimizer, checkpoints, rolling back —
 * is the machine's (src/learn/train.c); a trainer says what the gradient of batch `step` is.
 *
 * To add one: parts/trainer/NAME.c, defining `const struct elm_trainer_kind elm_trainer_NAME`.
 * tests/contract/trainer_test.c runs on it.
 */
#ifndef ELM_TRAINER_H
#define ELM_TRAINER_H

#include "elm/optimizer.h"

struct elm_train_def {
    const char *trainer;             /* "sft", "scratch", "dpo", "grpo", "inversions", "edits" */
    const char *model;               /* to start from: a path, or "builtin" for the tree-edit model; NULL: random weights */
    const char *reference;           /* dpo, grpo: the model of the KL term; NULL: `model` as it is */
    const char *const *data;         /* [data_count] run folders and JSONL files */
    uint32_t data_count;
    const char *out;                 /* GGUF to write; checkpoints are OUT.checkpoint */
    bool resume;                     /* go on from the checkpoint, if there is one */
    const char *optimizer;           /* NULL: adamw. A path (with a slash, or ending in .c): an update rule as
                                        problems/adam evolves them, contained in the virtual machine; it takes
                                        no beta1, beta2, epsilon */
    struct elm_optimizer_options options;
    const char *schedule;            /* "cosine", "linear" (to a 30th of the rate), "constant"; NULL: cosine */
    float rate;                      /* at the top; 0: the optimizer's own */
    float warmup;                    /* share of the budget */
    float clip;                      /* of the gradient's norm; 0: 1 */
    uint64_t steps;                  /* budgets: one of the two */
    double minutes;                  /* wall time, kept over a resume; the schedule follows it */
    uint32_t batch;                  /* sequences or samples a step; 0: the trainer's own */
    uint32_t context;                /* tokens of a sequence at most; 0: the trainer's own */
    uint32_t lora_rank;              /* 0: all weights; else `out` is an adapter */
    float lora_alpha;                /* 0: the rank */
    float beta;                      /* dpo: of the margin; grpo: of the KL term; 0: the trainer's own */
    const char *labels;              /* edits: which of elm/edits.h, with commas; grpo, dpo: "better" or "graded"
                                        (elm/dataset.h); NULL: the trainer's own */
    bool shuffled;                   /* of runs: outcomes permuted within each run: a control */
    float admitted;                  /* sft, scratch: learn the programs that runs admitted, of at least this share
                                        of the best of their niche (elm/dataset.h); 0: answers of models */
    float inversions;                /* edits: share of the lessons that are programs broken on purpose */
    uint32_t width, layers, vocabulary;    /* of random weights; 0: the trainer's own */
    uint64_t seed;
    uint32_t threads;                /* 0: as many as cores; the result does not depend on it */
    int64_t checkpoint_s;            /* between checkpoints; 0: 60 */
};

struct elm_parameter {
    const char *name;                /* as in the GGUF */
    uint32_t rows, cols;
    bool matrix;                     /* as for the optimizer */
    float *weights, *gradient;       /* [rows * cols], the trainer's; the loop clears the gradient */
};
struct elm_batch_report {
    double loss;                     /* nats, mean over what is learnt */
    uint64_t tokens;                 /* computed */
    uint64_t samples;
    double extra[4];                 /* what the kind names in `extras`: "accuracy", "margin", ... */
};
struct elm_train_stats;
struct elm_trainer_kind {
    const char *name, *summary;
    const char *extras[4];           /* NULL where there are fewer */
    bool needs_data, needs_model;
    bool from_nothing;               /* takes no model to start from */
    /* Loads model and data. Fails: ELM_USAGE (a field of the definition), ELM_NOTHING (data of the right
     * kind that holds nothing to learn), ELM_NOT_FOUND, ELM_PARSE (file, line),
     * ELM_CORRUPT, ELM_IO. */
    enum elm_status (*open)(const struct elm_train_def *def, void **self, struct elm_error *err);
    void (*close)(void *self);
    const struct elm_parameter *(*parameters)(void *self, uint32_t *count);
    /* Adds the gradient of batch `step` (from 1), a function of (definition, weights, step). */
    enum elm_status (*gradient)(void *self, uint64_t step, struct elm_batch_report *report,
                                struct elm_error *err);
    /* Writes the model, or the adapter, as a GGUF; the file appears whole or not at all. What it says of
     * the training it takes from `stats`, but for times: a trainer's own counts begin anew with a resume. */
    enum elm_status (*write)(void *self, const struct elm_train_stats *stats, const char *path,
                             struct elm_error *err);
};
extern const struct elm_trainer_kind *const elm_trainer_kinds[];     /* by name, then NULL */
const struct elm_trainer_kind *elm_trainer_find(const char *name);   /* NULL if none */

#define ELM_TRAIN_WHY_BYTES 160
struct elm_train_stats {
    uint64_t step, steps;            /* steps: of the whole budget, estimated where it is in minutes */
    uint64_t tokens, samples;
    double loss;                     /* mean of the last 100 batches */
    double extra[4];
    double rate, gradient_norm, tokens_per_s, eta_s;
    int64_t cpu_us, wall_us;         /* of all threads; over all resumes */
    uint32_t rollbacks;              /* loss or gradient was not finite, the loss exploded, or an update rule
                                        failed: went back a hundred steps or less and on at half the rate */
    char why[ELM_TRAIN_WHY_BYTES];   /* of the last of these; "": none in this call */
};
/* Trains to the end of the budget and writes `out`. `tick` (nullable) is called about once a second and
 * after the last step; false stops cleanly after a checkpoint (ELM_STOPPED). Killed anywhere, a call with `resume`
 * ends with the same bytes as an undisturbed one, for a budget in steps. */
enum elm_status elm_train(const struct elm_train_def *def,
                          bool (*tick)(void *ctx, const struct elm_train_stats *stats), void *ctx,
                          struct elm_train_stats *stats, struct elm_error *err);

#endif
