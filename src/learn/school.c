/* school: lanes of lessons, their threads, and the sum of their gradients. */
#include "elm/school.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOGETHER 16              /* lessons in one matrix */

struct lane {
    struct elm_school *school;
    struct elm_school_lane own;
    struct elm_nano_pupil *pupil;
    struct elm_nano_lesson *lessons[ELM_SCHOOL_GROUPS][TOGETHER];
    uint32_t waiting[ELM_SCHOOL_GROUPS];
    struct elm_nano_report reports[ELM_SCHOOL_GROUPS];
    float *gradient;
    uint64_t unsaid;
};

struct elm_school {
    struct elm_school_def def;
    struct elm_nano *nano;
    struct elm_parameter *parameters;
    uint32_t parameter_count;
    float *gradient;
    uint32_t batch, threads;
    uint64_t step;
    struct lane lanes[ELM_SCHOOL_LANES];
    uint32_t next_lane;
    pthread_mutex_t lock;
};

void elm_school_close(struct elm_school *s)
{
    if (s == NULL)
        return;
    for (int k = 0; k < ELM_SCHOOL_LANES; k++) {
        struct lane *l = &s->lanes[k];
        elm_nano_teacher_free(l->own.teacher);
        elm_nano_pupil_free(l->pupil);
        elm_vm_memory_free(l->own.vm);
        for (int i = 0; i < ELM_SCHOOL_GROUPS * TOGETHER; i++)
            elm_nano_lesson_free(l->lessons[i / TOGETHER][i % TOGETHER]);
        free(l->gradient);
    }
    elm_nano_free(s->nano);
    pthread_mutex_destroy(&s->lock);
    free(s->parameters);
    free(s->gradient);
    free(s);
}

static enum elm_status open_lane(struct elm_school *s, uint32_t index, struct elm_error *err)
{
    struct lane *l = &s->lanes[index];
    l->school = s;
    l->own = (struct elm_school_lane){index, elm_nano_teacher_new(), elm_vm_memory_new()};
    for (int i = 0; i < ELM_SCHOOL_GROUPS * TOGETHER; i++)
        l->lessons[i / TOGETHER][i % TOGETHER] = elm_nano_lesson_new();
    l->gradient = elm_calloc(elm_nano_size(s->nano), sizeof(float));
    return elm_nano_pupil_new(s->nano, ELM_KERNEL_AUTO, &l->pupil, err);
}

static void list_parameters(struct elm_school *s)
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

enum elm_status elm_school_open(const struct elm_school_def *def, struct elm_nano *nano,
                                struct elm_school **out, struct elm_error *err)
{
    struct elm_school *s = elm_calloc(1, sizeof(*s));
    const struct elm_train_def *t = def->train;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    enum elm_status status = ELM_OK;
    pthread_mutex_init(&s->lock, NULL);
    s->def = *def;
    s->nano = nano;
    s->batch = t->batch > 0 ? t->batch : def->batch;
    s->threads = t->threads > 0 ? t->threads : cores > 0 ? (uint32_t)cores : 1;
    for (uint32_t k = 0; k < ELM_SCHOOL_LANES && status == ELM_OK; k++)
        status = open_lane(s, k, err);
    if (status != ELM_OK) {
        elm_school_close(s);
        return status;
    }
    list_parameters(s);
    *out = s;
    return ELM_OK;
}

const struct elm_parameter *elm_school_parameters(struct elm_school *s, uint32_t *count)
{
    *count = s->parameter_count;
    return s->parameters;
}

/* ---- a batch ---- */

static void learn(struct lane *l, int group)
{
    elm_nano_learn(l->pupil, (const struct elm_nano_lesson *const *)l->lessons[group],
                   l->waiting[group], ELM_BF16, l->gradient, &l->reports[group]);
    l->waiting[group] = 0;
}

static void run_lane(struct lane *l)
{
    struct elm_school *s = l->school;
    uint32_t which = l->own.index;
    uint64_t first = (s->step - 1) * s->batch;
    uint32_t from = s->batch * which / ELM_SCHOOL_LANES;
    uint32_t to = s->batch * (which + 1) / ELM_SCHOOL_LANES;
    memset(l->gradient, 0, elm_nano_size(s->nano) * sizeof(float));
    memset(l->reports, 0, sizeof(l->reports));
    l->unsaid = 0;
    for (uint32_t i = from; i < to; i++) {
        /* made in the first group's place, and handed over to where it belongs */
        struct elm_nano_lesson **made = &l->lessons[0][l->waiting[0]];
        double place = (double)(i - from) / (to - from);
        int group = s->def.lesson(s->def.ctx, &l->own, first + i, place, *made);
        if (group < 0) {
            l->unsaid++;
            continue;
        }
        struct elm_nano_lesson **to_be = &l->lessons[group][l->waiting[group]], *kept = *to_be;
        *to_be = *made;
        if (group > 0)
            *made = kept;
        if (++l->waiting[group] == TOGETHER)
            learn(l, group);
    }
    for (int g = 0; g < ELM_SCHOOL_GROUPS; g++)
        learn(l, g);
}

static void *work(void *arg)
{
    struct elm_school *s = arg;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        uint32_t which = s->next_lane++;
        pthread_mutex_unlock(&s->lock);
        if (which >= ELM_SCHOOL_LANES)
            return NULL;
        run_lane(&s->lanes[which]);
    }
}

static void add_report(struct elm_nano_report *to, const struct elm_nano_report *r)
{
    to->loss += r->loss;
    to->point_loss += r->point_loss;
    to->token_loss += r->token_loss;
    to->objective += r->objective;
    to->pushed += r->pushed;
    to->lessons += r->lessons;
    to->points += r->points;
    to->tokens += r->tokens;
    to->rows += r->rows;
    to->points_right += r->points_right;
    to->first_points += r->first_points;
    to->first_points_right += r->first_points_right;
    to->tokens_right += r->tokens_right;
}

double elm_school_loss(const struct elm_school_report *r)
{
    double loss = 0;
    uint64_t lessons = 0;
    for (int g = 0; g < ELM_SCHOOL_GROUPS; g++) {
        loss += r->group[g].loss;
        lessons += r->group[g].lessons - r->group[g].pushed;
    }
    return lessons > 0 ? loss / (double)lessons : 0;
}

static void add_up(struct elm_school *s, struct elm_school_report *report)
{
    uint64_t lessons = 0;
    *report = (struct elm_school_report){.batch = s->batch};
    for (int k = 0; k < ELM_SCHOOL_LANES; k++) {
        for (int g = 0; g < ELM_SCHOOL_GROUPS; g++)
            add_report(&report->group[g], &s->lanes[k].reports[g]);
        report->unsaid += s->lanes[k].unsaid;
    }
    for (int g = 0; g < ELM_SCHOOL_GROUPS; g++)
        lessons += report->group[g].lessons;
    float scale = (float)(1 / (lessons > 0 ? (double)lessons : 1));
    size_t size = elm_nano_size(s->nano);
    for (size_t i = 0; i < size; i++) {
        float g = 0;
        for (int k = 0; k < ELM_SCHOOL_LANES; k++)
            g += s->lanes[k].gradient[i];
        s->gradient[i] += g * scale;
    }
}

void elm_school_gradient(struct elm_school *s, uint64_t step, struct elm_school_report *report)
{
    pthread_t threads[ELM_SCHOOL_LANES - 1];
    s->step = step;
    s->next_lane = 0;
    uint32_t started = 0;
    while (started < ELM_SCHOOL_LANES - 1 && started + 1 < s->threads &&
           pthread_create(&threads[started], NULL, work, s) == 0)
        started++;
    work(s);
    for (uint32_t k = 0; k < started; k++)
        pthread_join(threads[k], NULL);
    add_up(s, report);
}

enum elm_status elm_school_write(struct elm_school *s, const struct elm_train_stats *stats,
                                 const char *description, const char *path, struct elm_error *err)
{
    struct elm_nano_card card = {.description = description, .samples = stats->samples,
                                 .steps = stats->step, .seed = s->def.train->seed,
                                 .loss = stats->loss};
    return elm_nano_write(s->nano, &card, path, err);
}
