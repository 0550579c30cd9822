/*
 * inversions: trains the tree-edit model (elm/nano.h) from random weights. The data is made while it
 * trains: programs of the generator are broken on purpose, and the lesson is the edit that mends
 * them. No data from outside, no lesson twice.
 */
#include "elm/school.h"
#include "elm/task.h"

#include <stdlib.h>

#define BATCH 64                 /* fewer samples for the same loss than 512 (docs/results/nano-training.md) */
#define CORRUPTIONS_MAX 6
#define OPAQUE_SHARE 0.2
#define BLIND_SHARE 0.08         /* not even cases, as where a judge shows none */
#define HALFWAY_SHARE 0.3
#define WIDTH 64
#define LAYERS 3

struct inversions {
    const struct elm_train_def *def;
    struct elm_generator *generators[ELM_SCHOOL_LANES];
    struct elm_school *school;
};

static int make_lesson(void *ctx, struct elm_school_lane *lane, uint64_t number, double place,
                       struct elm_nano_lesson *out)
{
    struct inversions *s = ctx;
    (void)place;
    const struct elm_task *task = elm_generator_task(s->generators[lane->index], number);
    struct elm_rng rng = elm_rng(s->def->seed ^ 0x6e616e6f, number);
    struct elm_nano_exercise e = {
        .from = &task->problem.seed, .to = &task->reference, .names = task->problem.names,
        .io = &task->problem.io, .evidence = &task->evidence, .fuel = task->problem.fuel,
        .halfway = HALFWAY_SHARE,
    };
    e.opaque = elm_rng_chance(&rng, OPAQUE_SHARE);
    if (elm_rng_chance(&rng, BLIND_SHARE))
        e.evidence = NULL;
    return elm_nano_teach(lane->teacher, &e, &rng, e.opaque ? NULL : lane->vm, out) ? 0 : -1;
}

static void inversions_close(void *self)
{
    struct inversions *s = self;
    if (s == NULL)
        return;
    for (int k = 0; k < ELM_SCHOOL_LANES; k++)
        elm_generator_close(s->generators[k]);
    elm_school_close(s->school);
    free(s);
}

static enum elm_status open_school(struct inversions *s, struct elm_error *err)
{
    const struct elm_train_def *def = s->def;
    struct elm_generator_def g = {.stream = ELM_STREAM_TRAIN, .seed = def->seed,
                                  .corruptions_min = 1, .corruptions_max = CORRUPTIONS_MAX,
                                  .cases_of_shown_only = true};
    uint32_t width = def->width > 0 ? def->width : WIDTH;
    struct elm_nano_config config = {width, def->layers > 0 ? def->layers : LAYERS, 4 * width};
    struct elm_school_def school = {def, BATCH, make_lesson, s};
    struct elm_nano *nano;
    for (int k = 0; k < ELM_SCHOOL_LANES; k++)
        ELM_TRY(elm_generator_open(&g, &s->generators[k], err));
    ELM_TRY(def->model != NULL ? elm_nano_find(def->model, &nano, err)
                               : elm_nano_new(&config, def->seed, &nano, err));
    return elm_school_open(&school, nano, &s->school, err);
}

static enum elm_status inversions_open(const struct elm_train_def *def, void **self,
                                       struct elm_error *err)
{
    if (def->lora_rank > 0)
        return elm_fail(err, ELM_USAGE, "lora_rank: inversions trains all weights");
    if (def->data_count > 0)
        return elm_fail(err, ELM_USAGE, "data '%s': inversions makes its own", def->data[0]);
    struct inversions *s = elm_calloc(1, sizeof(*s));
    s->def = def;
    enum elm_status status = open_school(s, err);
    if (status == ELM_OK)
        *self = s;
    else
        inversions_close(s);
    return status;
}

static const struct elm_parameter *inversions_parameters(void *self, uint32_t *count)
{
    return elm_school_parameters(((struct inversions *)self)->school, count);
}

static enum elm_status inversions_gradient(void *self, uint64_t step,
                                           struct elm_batch_report *report, struct elm_error *err)
{
    struct inversions *s = self;
    struct elm_school_report sum;
    (void)err;
    elm_school_gradient(s->school, step, &sum);
    const struct elm_nano_report *r = &sum.group[0];
    double lessons = r->lessons > 0 ? (double)r->lessons : 1;
    *report = (struct elm_batch_report){
        .loss = r->loss / lessons, .tokens = r->rows, .samples = r->lessons,
        .extra = {(double)r->first_points_right / (double)(r->first_points + !r->first_points),
                  (double)r->tokens_right / (double)(r->tokens + !r->tokens),
                  r->token_loss / lessons, (double)sum.unsaid / sum.batch}};
    return ELM_OK;
}

static enum elm_status inversions_write(void *self, const struct elm_train_stats *stats,
                                        const char *path, struct elm_error *err)
{
    return elm_school_write(((struct inversions *)self)->school, stats,
                            "Tree-edit model of elm: writes edits of C programs. Trained from random "
                            "weights on programs that were broken on purpose by elm's own generator.",
                            path, err);
}

const struct elm_trainer_kind elm_trainer_inversions = {
    .name = "inversions",
    .summary = "the tree-edit model, from programs broken on purpose",
    .extras = {"spot", "token", "token_loss", "unsaid"},
    .open = inversions_open,
    .close = inversions_close,
    .parameters = inversions_parameters,
    .gradient = inversions_gradient,
    .write = inversions_write,
};
