/*
 * school: what the trainers of the tree-edit model (elm/nano.h) share. A batch is cut into lanes; each
 * lane makes its lessons and adds up their gradient in one order, so that the number of threads
 * changes no bit.
 */
#ifndef ELM_SCHOOL_H
#define ELM_SCHOOL_H

#include "elm/nano.h"
#include "elm/trainer.h"

#define ELM_SCHOOL_LANES 4
#define ELM_SCHOOL_GROUPS 2              /* of lessons, that are reported apart */

struct elm_school_lane {
    uint32_t index;                      /* 0 .. ELM_SCHOOL_LANES - 1; one thread at a time */
    struct elm_nano_teacher *teacher;
    struct elm_vm_memory *vm;
};
struct elm_school_def {
    const struct elm_train_def *train;
    uint32_t batch;                      /* lessons, where `train` doesn't say */
    /* Makes lesson `number`, counted over all batches; place: how far into its lane's part of the
     * batch it is, 0 .. 1. Returns its group, or -1: there is none. A function of number and place. */
    int (*lesson)(void *ctx, struct elm_school_lane *lane, uint64_t number, double place,
                  struct elm_nano_lesson *out);
    void *ctx;
};
struct elm_school_report {
    struct elm_nano_report group[ELM_SCHOOL_GROUPS];
    uint64_t unsaid;                     /* lessons that there were none of */
    uint32_t batch;
};

struct elm_school;
/* Takes `nano`, also when it fails: as elm_nano_pupil_new. */
enum elm_status elm_school_open(const struct elm_school_def *def, struct elm_nano *nano,
                                struct elm_school **out, struct elm_error *err);
void elm_school_close(struct elm_school *s);
const struct elm_parameter *elm_school_parameters(struct elm_school *s, uint32_t *count);
/* Adds the gradient of the mean over the lessons of batch `step` (from 1). */
void elm_school_gradient(struct elm_school *s, uint64_t step, struct elm_school_report *report);
/* Mean loss of the lessons of both groups that count more than 0, for a trainer's report. */
double elm_school_loss(const struct elm_school_report *r);
enum elm_status elm_school_write(struct elm_school *s, const struct elm_train_stats *stats,
                                 const char *description, const char *path, struct elm_error *err);

#endif
