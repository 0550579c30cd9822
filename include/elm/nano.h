/*
 * nano: the tree-edit model: a small transformer that reads a core C program together with what its
 * runs say, and writes edits: a pointer to a node, what comes in its place in node tokens under a
 * grammar, then another pointer to the right of it, or the end; 1 to 5 holes a child. Names are
 * slots in scope, old subtrees can be copied, so every child is a program that builds (elm_tree_check
 * refuses few all the same: where C leaves open whether a variable is stored before it is used).
 *
 *     weights -> pupil (one thread's memory of learning): lessons -> gradient
 *             -> sampler (one thread's memory of sampling): program -> 64 children at once
 *
 * It is trained from random weights on programs that were broken on purpose: the lesson is the edit
 * that mends them. What may be written where is the same code when it learns and when it samples.
 */
#ifndef ELM_NANO_H
#define ELM_NANO_H

#include "elm/model.h"
#include "elm/operator.h"

/* A program is read once for many edits, which pass as many layers of half its width (at least 32), looking at
 * what the program has become: what is computed for each child is small. */
struct elm_nano_config {
    uint32_t width;          /* of a program's rows: a multiple of 32, 32..256; heads have 16 each */
    uint32_t layers;         /* 1..8 */
    uint32_t hidden;         /* of the feed-forward part of a program's layers; a multiple of 32 */
};
struct elm_nano;             /* weights in f32; sampled from by any thread while nobody trains them */
enum elm_status elm_nano_new(const struct elm_nano_config *config, uint64_t seed,
                             struct elm_nano **out, struct elm_error *err);
/* A GGUF with general.architecture = elm-tree. Fails: as elm_gguf_open; ELM_OUTSIDE (another
 * architecture, or tokens of another version), ELM_CORRUPT (a tensor missing or of another shape). */
enum elm_status elm_nano_open(const char *path, struct elm_nano **out, struct elm_error *err);
/* The model in the library. Fails: ELM_NOT_FOUND where it was built without one. */
enum elm_status elm_nano_builtin(struct elm_nano **out, struct elm_error *err);
/* By path, or the built-in by the name "builtin". */
enum elm_status elm_nano_find(const char *name, struct elm_nano **out, struct elm_error *err);
void elm_nano_free(struct elm_nano *n);
const struct elm_nano_config *elm_nano_config(const struct elm_nano *n);
/* What the file says of how it was made; the strings are kept. */
struct elm_nano_card {
    const char *description;
    uint64_t samples, steps, seed;
    double loss;
};
enum elm_status elm_nano_write(const struct elm_nano *n, const struct elm_nano_card *card,
                               const char *path, struct elm_error *err);

/* All weights are one array of elm_nano_size floats; a gradient has the same layout. */
struct elm_nano_tensor {
    char name[40];
    uint32_t rows, cols;
    bool matrix;             /* of a linear layer */
    size_t at;               /* its first float */
};
size_t elm_nano_size(const struct elm_nano *n);
float *elm_nano_weights(struct elm_nano *n);
const struct elm_nano_tensor *elm_nano_tensors(const struct elm_nano *n, uint32_t *count);

/* ---- learning ---- */
struct elm_nano_lesson;
struct elm_nano_lesson *elm_nano_lesson_new(void);
void elm_nano_lesson_free(struct elm_nano_lesson *l);

/* What a lesson is made of: a program, and the one that it should become. */
struct elm_nano_exercise {
    const struct elm_tree *from, *to;        /* checked, in the same names */
    const struct elm_names *names;
    const struct elm_io *io;
    const struct elm_evidence *evidence;     /* nullable */
    const uint8_t *editable;                 /* bits of elm_tree_editable; NULL: all */
    uint64_t fuel;
    bool opaque;                             /* cases only, no traces */
    double halfway;                          /* chance that some of the holes are filled before */
    bool whole;                              /* no lesson of a part of the difference */
};
struct elm_nano_teacher;                     /* one thread's memory */
struct elm_nano_teacher *elm_nano_teacher_new(void);
void elm_nano_teacher_free(struct elm_nano_teacher *t);
/* False where the difference can't be said in holes: the lesson is then empty. */
bool elm_nano_teach(struct elm_nano_teacher *t, const struct elm_nano_exercise *e,
                    struct elm_rng *rng, struct elm_vm_memory *vm, struct elm_nano_lesson *out);

/* How much a lesson counts; 1 when it was taught. Below 0 what it says is to become less likely: each
 * decision of it is pushed away only while its probability is above ELM_NANO_FLOOR. Without a floor such
 * a loss has no lower bound, and pushing hardest what is written least would ruin all the rest. */
#define ELM_NANO_FLOOR 0.02
void elm_nano_lesson_weigh(struct elm_nano_lesson *l, double coefficient);

struct elm_nano_report {
    double loss;                             /* nats, sum over lessons of all that is learnt; of those that
                                                count more than 0, as the counts below, but for rows */
    double point_loss, token_loss;           /* its parts */
    double objective;                        /* of all lessons: what the gradient is of. Coefficient times
                                                loss, a decision at the floor counted as at the floor */
    uint64_t pushed;                         /* lessons that count less than 0 */
    uint64_t lessons, points, tokens, rows;
    uint64_t points_right, first_points, first_points_right, tokens_right;
};
struct elm_nano_pupil;
/* Fails: ELM_USAGE where this machine has no such kernel. */
enum elm_status elm_nano_pupil_new(const struct elm_nano *n, enum elm_kernel kernel,
                                   struct elm_nano_pupil **out, struct elm_error *err);
void elm_nano_pupil_free(struct elm_nano_pupil *p);
/* Adds to `report`, and the gradient of the sum of losses to `gradient` (NULL: the loss only). */
void elm_nano_learn(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons,
                    uint32_t count, enum elm_precision precision, float *gradient,
                    struct elm_nano_report *report);

/* ---- sampling ---- */
#define ELM_NANO_CHILDREN_MAX 256
struct elm_nano_sampler;
enum elm_status elm_nano_sampler_new(const struct elm_nano *n, enum elm_kernel kernel,
                                     struct elm_nano_sampler **out, struct elm_error *err);
void elm_nano_sampler_free(struct elm_nano_sampler *s);
/* Reads a program; false when there is nothing in it to edit. */
bool elm_nano_read(struct elm_nano_sampler *s, const struct elm_problem *problem,
                   const struct elm_evidence *evidence, const struct elm_tree *tree,
                   const uint8_t *editable, bool opaque, struct elm_vm_memory *vm);
/* Samples up to `count` different edits without replacement (Kool, van Hoof & Welling 2019), each with a
 * chance of a half to end after one hole; most likely first where the seed says no other. Returns how many
 * there are: 0 where weights are so large that nothing has a probability. The same for the same program,
 * evidence, seed and kernel, fewer are the first ones of more; another kernel rounds otherwise, which may
 * turn a draw. */
uint32_t elm_nano_sample(struct elm_nano_sampler *s, uint64_t seed, uint32_t count,
                         double temperature);
/* Edits of the i-th, their nodes in `arena`; log-probability of its tokens (nullable). */
uint32_t elm_nano_child(struct elm_nano_sampler *s, uint32_t i, struct elm_arena *arena,
                        struct elm_edit edits[ELM_EDITS_MAX], double *logprob);

/* ---- for operators: one run's model and sampler, opened when first asked ---- */
struct elm_nano_writer;
struct elm_nano_writer *elm_nano_writer_new(void);
void elm_nano_writer_free(struct elm_nano_writer *w);
/* As elm_operator_kind.model. */
enum elm_status elm_nano_writer_model(const char *path, struct elm_error *err);
/* The sampler, holding up to `count` children of the parent drawn by context->group at `temperature`, or
 * hotter the more have been asked of that parent (at most 3 times); again for the same ones it only looks
 * them up. Fails: as elm_nano_open; ELM_NOT_FOUND where there is nothing to edit. */
enum elm_status elm_nano_writer_ask(struct elm_nano_writer *w,
                                    const struct elm_operator_context *context,
                                    const struct elm_parent *parent, uint32_t count,
                                    double temperature, struct elm_nano_sampler **sampler,
                                    uint32_t *children, struct elm_error *err);
/* Do the edits keep within the problem's limits of nodes, and leave no order of evaluation open? */
bool elm_nano_fits(const struct elm_problem *problem, const struct elm_tree *tree,
                   const struct elm_edit *edits, uint32_t count);

#endif
