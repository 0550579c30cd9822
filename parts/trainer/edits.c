/*
 * edits: trains the tree-edit model on what runs tried themselves (elm/edits.h), good and bad, with
 * a share of programs broken on purpose among it, without which it forgets what those taught.
 */
#include "elm/edits.h"
#include "elm/school.h"
#include "elm/task.h"

#include <stdlib.h>

#define BATCH 256
#define TRIES 16                 /* to draw a lesson that can be said */
#define CORRUPTIONS_MAX 6
#define HALFWAY_SHARE 0.3
#define OPAQUE_SHARE 0.2
#define WIDTH 64
#define LAYERS 3

struct edits {
    const struct elm_train_def *def;
    struct elm_edits *data;
    struct elm_edits_memory *memories[ELM_SCHOOL_LANES];
    struct elm_generator *generators[ELM_SCHOOL_LANES];
    struct elm_school *school;
};

static int invert(struct edits *s, struct elm_school_lane *lane, uint64_t number,
                  struct elm_rng *rng, struct elm_nano_lesson *out)
{
    const struct elm_task *task = elm_generator_task(s->generators[lane->index], number);
    struct elm_nano_exercise e = {
        .from = &task->problem.seed, .to = &task->reference, .names = task->problem.names,
        .io = &task->problem.io, .evidence = &task->evidence, .fuel = task->problem.fuel,
        .halfway = HALFWAY_SHARE,
    };
    e.opaque = elm_rng_chance(rng, OPAQUE_SHARE);
    return elm_nano_teach(lane->teacher, &e, rng, e.opaque ? NULL : lane->vm, out) ? 0 : -1;
}

/* Inversions come first in a lane's part of a batch: those in a row share their target. */
static int make_lesson(void *ctx, struct elm_school_lane *lane, uint64_t number, double place,
                       struct elm_nano_lesson *out)
{
    struct edits *s = ctx;
    struct elm_rng rng = elm_rng(s->def->seed ^ 0x65646974, number);
    if (place < (double)s->def->inversions)
        return invert(s, lane, number, &rng, out);
    for (int i = 0; i < TRIES; i++) {
        struct elm_edits_lesson lesson;
        if (!elm_edits_draw(s->data, s->memories[lane->index], &rng, &lesson) ||
            !elm_nano_teach(lane->teacher, &lesson.exercise, &rng, lane->vm, out))
            continue;
        elm_nano_lesson_weigh(out, lesson.coefficient);
        return 1;
    }
    return -1;
}

static void edits_close(void *self)
{
    struct edits *s = self;
    if (s == NULL)
        return;
    for (int k = 0; k < ELM_SCHOOL_LANES; k++) {
        elm_edits_memory_free(s->memories[k]);
        elm_generator_close(s->generators[k]);
    }
    elm_school_close(s->school);
    elm_edits_close(s->data);
    free(s);
}

static enum elm_status open_all(struct edits *s, struct elm_error *err)
{
    const struct elm_train_def *def = s->def;
    struct elm_edits_def data = {.runs = def->data, .run_count = def->data_count,
                                 .labels = def->labels, .shuffled = def->shuffled,
                                 .seed = def->seed};
    struct elm_generator_def g = {.stream = ELM_STREAM_TRAIN, .seed = def->seed ^ 0x65646974,
                                  .corruptions_min = 1, .corruptions_max = CORRUPTIONS_MAX,
                                  .cases_of_shown_only = true};
    uint32_t width = def->width > 0 ? def->width : WIDTH;
    struct elm_nano_config config = {width, def->layers > 0 ? def->layers : LAYERS, 4 * width};
    struct elm_school_def school = {def, BATCH, make_lesson, s};
    struct elm_nano *nano;
    ELM_TRY(elm_edits_open(&data, &s->data, err));
    for (int k = 0; k < ELM_SCHOOL_LANES; k++) {
        s->memories[k] = elm_edits_memory_new();
        ELM_TRY(elm_generator_open(&g, &s->generators[k], err));
    }
    ELM_TRY(def->model != NULL ? elm_nano_find(def->model, &nano, err)
                               : elm_nano_new(&config, def->seed, &nano, err));
    return elm_school_open(&school, nano, &s->school, err);
}

static enum elm_status edits_open(const struct elm_train_def *def, void **self,
                                  struct elm_error *err)
{
    if (def->lora_rank > 0)
        return elm_fail(err, ELM_USAGE, "lora_rank: edits trains all weights");
    if (!(def->inversions >= 0 && def->inversions <= 1))
        return elm_fail(err, ELM_USAGE, "inversions %g: a share from 0 to 1 is allowed",
                        (double)def->inversions);
    struct edits *s = elm_calloc(1, sizeof(*s));
    s->def = def;
    enum elm_status status = open_all(s, err);
    if (status == ELM_OK)
        *self = s;
    else
        edits_close(s);
    return status;
}

static const struct elm_parameter *edits_parameters(void *self, uint32_t *count)
{
    return elm_school_parameters(((struct edits *)self)->school, count);
}

static double mean(double sum, uint64_t count)
{
    return count > 0 ? sum / (double)count : 0;
}

static enum elm_status edits_gradient(void *self, uint64_t step, struct elm_batch_report *report,
                                      struct elm_error *err)
{
    struct edits *s = self;
    struct elm_school_report sum;
    (void)err;
    elm_school_gradient(s->school, step, &sum);
    const struct elm_nano_report *inverted = &sum.group[0], *own = &sum.group[1];
    *report = (struct elm_batch_report){
        .loss = elm_school_loss(&sum), .tokens = inverted->rows + own->rows,
        .samples = inverted->lessons + own->lessons,
        .extra = {mean(own->loss, own->lessons - own->pushed),
                  mean(inverted->loss, inverted->lessons), mean((double)own->pushed, own->lessons),
                  (double)sum.unsaid / sum.batch}};
    return ELM_OK;
}

static enum elm_status edits_write(void *self, const struct elm_train_stats *stats,
                                   const char *path, struct elm_error *err)
{
    return elm_school_write(((struct edits *)self)->school, stats,
                            "Tree-edit model of elm: writes edits of C programs. Trained on the "
                            "edits that searches tried, and on what became of them.", path, err);
}

const struct elm_trainer_kind elm_trainer_edits = {
    .name = "edits",
    .summary = "the tree-edit model, from what runs tried and what became of it",
    .extras = {"own", "inversion", "pushed", "unsaid"},
    .needs_data = true,
    .open = edits_open,
    .close = edits_close,
    .parameters = edits_parameters,
    .gradient = edits_gradient,
    .write = edits_write,
};
