/*
 * inversions: trains the tree-edit model (elm/nano.h) from random weights. The data is made while it
 * trains: programs of the generator are broken on purpose, and the lesson is the edit that mends
 * them. No data from outside, no lesson twice.
 */
#include "elm/nano.h"
#include "elm/task.h"
#include "elm/trainer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 512
#define LANES 4                  /* parts of a batch; each has one order of adding, whoever does it */
#define TOGETHER 16              /* lessons in one matrix */
#define CORRUPTIONS_MAX 6
#define OPAQUE_SHARE 0.2
#define HALFWAY_SHARE 0.3
#define WIDTH 64
#define LAYERS 3

struct lane {
    struct inversions *self;
    struct elm_generator *generator;
    struct elm_nano_teacher *teacher;
    struct elm_nano_pupil *pupil;
    struct elm_vm_memory *vm;
    struct elm_nano_lesson *lessons[TOGETHER];
    float *gradient;
    struct elm_nano_report report;
    uint64_t unsaid;             /* tasks whose mending can't be said in holes */
};

struct inversions {
    const struct elm_train_def *def;
    struct elm_nano *nano;
    struct elm_parameter *parameters;
    uint32_t parameter_count;
    float *gradient;
    uint32_t batch, threads;
    uint64_t step, samples;
    double loss;                 /* of late batches, for the card */
    struct lane lanes[LANES];
    uint32_t next_lane;
    pthread_mutex_t lock;
};

static void inversions_close(void *self)
{
    struct inversions *s = self;
    if (s == NULL)
        return;
    for (int k = 0; k < LANES; k++) {
        struct lane *l = &s->lanes[k];
        elm_generator_close(l->generator);
        elm_nano_teacher_free(l->teacher);
        elm_nano_pupil_free(l->pupil);
        elm_vm_memory_free(l->vm);
        for (int i = 0; i < TOGETHER; i++)
            elm_nano_lesson_free(l->lessons[i]);
        free(l->gradient);
    }
    elm_nano_free(s->nano);
    pthread_mutex_destroy(&s->lock);
    free(s->parameters);
    free(s->gradient);
    free(s);
}

static enum elm_status open_lane(struct inversions *s, struct lane *l, struct elm_error *err)
{
    struct elm_generator_def def = {.stream = ELM_STREAM_TRAIN, .seed = s->def->seed,
                                    .corruptions_min = 1, .corruptions_max = CORRUPTIONS_MAX,
                                    .cases_of_shown_only = true};
    l->self = s;
    l->teacher = elm_nano_teacher_new();
    l->vm = elm_vm_memory_new();
    for (int i = 0; i < TOGETHER; i++)
        l->lessons[i] = elm_nano_lesson_new();
    l->gradient = elm_calloc(elm_nano_size(s->nano), sizeof(float));
    ELM_TRY(elm_nano_pupil_new(s->nano, ELM_KERNEL_AUTO, &l->pupil, err));
    return elm_generator_open(&def, &l->generator, err);
}

static void list_parameters(struct inversions *s)
{
    const struct elm_nano_tensor *tensors = elm_nano_tensors(s->nano, &s->parameter_count);
    s->parameters = elm_calloc(s->parameter_count, sizeof(s->parameters[0]));
    s->gradient = elm_calloc(elm_nano_size(s->nano), sizeof(float));
    for (uint32_t k = 0; k < s->parameter_count; k++)
        s->parameters[k] = (struct elm_parameter){
            .name = tensors[k].name, .rows = tensors[k].rows, .cols = tensors[k].cols,
            .matrix = tensors[k].matrix, .weights = elm_nano_weights(s->nano) + tensors[k].at,
            .gradient = s->gradient + tensors[k].at};
}

static enum elm_status inversions_open(const struct elm_train_def *def, void **self,
                                       struct elm_error *err)
{
    if (def->lora_rank > 0)
        return elm_fail(err, ELM_USAGE, "lora_rank: inversions trains all weights");
    if (def->data_count > 0)
        return elm_fail(err, ELM_USAGE, "data '%s': inversions makes its own", def->data[0]);
    struct inversions *s = elm_calloc(1, sizeof(*s));
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_mutex_init(&s->lock, NULL);
    s->def = def;
    s->batch = def->batch > 0 ? def->batch : BATCH;
    s->threads = def->threads > 0 ? def->threads : cores > 0 ? (uint32_t)cores : 1;
    uint32_t width = def->width > 0 ? def->width : WIDTH;
    struct elm_nano_config config = {width, def->layers > 0 ? def->layers : LAYERS, 4 * width};
    enum elm_status status = def->model != NULL ? elm_nano_open(def->model, &s->nano, err)
                                                : elm_nano_new(&config, def->seed, &s->nano, err);
    for (int k = 0; k < LANES && status == ELM_OK; k++)
        status = open_lane(s, &s->lanes[k], err);
    if (status != ELM_OK) {
        inversions_close(s);
        return status;
    }
    list_parameters(s);
    *self = s;
    return ELM_OK;
}

static const struct elm_parameter *inversions_parameters(void *self, uint32_t *count)
{
    struct inversions *s = self;
    *count = s->parameter_count;
    return s->parameters;
}

/* ---- a batch ---- */

static bool make_lesson(struct lane *l, uint64_t number, struct elm_nano_lesson *out)
{
    const struct elm_task *task = elm_generator_task(l->generator, number);
    struct elm_rng rng = elm_rng(l->self->def->seed ^ 0x6e616e6f, number);
    struct elm_nano_exercise e = {
        .from = &task->problem.seed, .to = &task->reference, .names = task->problem.names,
        .io = &task->problem.io, .evidence = &task->evidence, .fuel = task->problem.fuel,
        .halfway = HALFWAY_SHARE,
    };
    e.opaque = elm_rng_chance(&rng, OPAQUE_SHARE);
    return elm_nano_teach(l->teacher, &e, &rng, e.opaque ? NULL : l->vm, out);
}

static void run_lane(struct lane *l, uint32_t which)
{
    struct inversions *s = l->self;
    uint64_t first = (s->step - 1) * s->batch;
    uint32_t from = s->batch * which / LANES, to = s->batch * (which + 1) / LANES, count = 0;
    memset(l->gradient, 0, elm_nano_size(s->nano) * sizeof(float));
    l->report = (struct elm_nano_report){0};
    l->unsaid = 0;
    for (uint32_t i = from; i < to; i++) {
        if (make_lesson(l, first + i, l->lessons[count]))
            count++;
        else
            l->unsaid++;
        if (count == TOGETHER || i + 1 == to) {
            elm_nano_learn(l->pupil, (const struct elm_nano_lesson *const *)l->lessons, count,
                           ELM_BF16, l->gradient, &l->report);
            count = 0;
        }
    }
}

static void *work(void *arg)
{
    struct inversions *s = arg;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        uint32_t which = s->next_lane++;
        pthread_mutex_unlock(&s->lock);
        if (which >= LANES)
            return NULL;
        run_lane(&s->lanes[which], which);
    }
}

static void add_up(struct inversions *s, struct elm_batch_report *report)
{
    struct elm_nano_report sum = {0};
    uint64_t unsaid = 0;
    size_t size = elm_nano_size(s->nano);
    for (int k = 0; k < LANES; k++) {
        const struct elm_nano_report *r = &s->lanes[k].report;
        sum.lessons += r->lessons;
        sum.rows += r->rows;
        sum.loss += r->loss;
        sum.first_points += r->first_points;
        sum.first_points_right += r->first_points_right;
        sum.tokens += r->tokens;
        sum.tokens_right += r->tokens_right;
        sum.token_loss += r->token_loss;
        unsaid += s->lanes[k].unsaid;
    }
    double lessons = sum.lessons > 0 ? (double)sum.lessons : 1;
    float scale = (float)(1 / lessons);
    for (size_t i = 0; i < size; i++) {
        float g = 0;
        for (int k = 0; k < LANES; k++)
            g += s->lanes[k].gradient[i];
        s->gradient[i] += g * scale;
    }
    s->samples += sum.lessons;
    s->loss = s->loss == 0 ? sum.loss / lessons : 0.99 * s->loss + 0.01 * sum.loss / lessons;
    *report = (struct elm_batch_report){
        .loss = sum.loss / lessons, .tokens = sum.rows, .samples = sum.lessons,
        .extra = {(double)sum.first_points_right / (double)(sum.first_points + !sum.first_points),
                  (double)sum.tokens_right / (double)(sum.tokens + !sum.tokens),
                  sum.token_loss / lessons, (double)unsaid / s->batch}};
}

static enum elm_status inversions_gradient(void *self, uint64_t step,
                                           struct elm_batch_report *report, struct elm_error *err)
{
    struct inversions *s = self;
    pthread_t threads[LANES - 1];
    (void)err;
    s->step = step;
    s->next_lane = 0;
    uint32_t started = 0;
    while (started < LANES - 1 && started + 1 < s->threads &&
           pthread_create(&threads[started], NULL, work, s) == 0)
        started++;
    work(s);
    for (uint32_t k = 0; k < started; k++)
        pthread_join(threads[k], NULL);
    add_up(s, report);
    return ELM_OK;
}

static enum elm_status inversions_write(void *self, const char *path, struct elm_error *err)
{
    struct inversions *s = self;
    struct elm_nano_card card = {
        .description = "Tree-edit model of elm: writes edits of C programs. Trained from random "
                       "weights on programs that were broken on purpose by elm's own generator.",
        .samples = s->step * s->batch, .steps = s->step, .seed = s->def->seed, .loss = s->loss};
    return elm_nano_write(s->nano, &card, path, err);
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
