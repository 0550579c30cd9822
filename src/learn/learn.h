/* learn: what tasks, generator and trial share. Private to src/learn. */
#ifndef ELM_LEARN_LEARN_H
#define ELM_LEARN_LEARN_H

#include "elm/task.h"
#include "sandbox/judge_formula.h"

#define TASK_SLOTS (ELM_PARAMS_MAX + 1)

/* Where the numbers of a case lie. */
struct task_slots {
    struct formula_slot in[TASK_SLOTS], out[TASK_SLOTS];
    uint32_t in_count, out_count;
};
void task_slots(const struct elm_problem *p, struct task_slots *out);
/* The inputs of a set, as a judge draws them. */
void task_fill(const struct elm_problem *p, const struct task_slots *slots, enum elm_set set,
               uint32_t count, uint8_t *in);
/* Are all doubles of these outputs finite? */
bool task_finite(const struct task_slots *slots, const uint8_t *out);
/* Sets want_mask and evidence from the rest. */
void task_evidence(struct elm_task *t, const struct task_slots *slots);

#endif
