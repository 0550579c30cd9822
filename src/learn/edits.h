/* edits: runs in memory, and their items. Private to src/learn. */
#ifndef LEARN_EDITS_H
#define LEARN_EDITS_H

#include "elm/edits.h"
#include "elm/task.h"

#define EDITS_NONE UINT32_MAX

/* The seed, or an admitted program. */
struct edits_program {
    int64_t id;
    uint32_t parent;             /* EDITS_NONE: the seed */
    struct elm_tree tree;
    double fitness;
    bool elite;
};
struct edits_attempt {
    int64_t id;
    uint32_t run, parent;        /* a program of the run */
    uint32_t program;            /* admitted as; EDITS_NONE: not */
    uint8_t operator_index, status, outcome, better;
    uint32_t measure_count, edit_len;
    double fitness, improvement;
    double measures[ELM_MEASURES_MAX];
    size_t edit_at;              /* in the run's bytes; a length of 0: it has no tree */
};
struct edits_item {
    uint32_t from, to;           /* programs; or `from` alone */
    uint32_t attempt;            /* EDITS_NONE: none */
    float coefficient;
    double sum;                  /* of the weights of the run's items of this label so far */
};
struct edits_run {
    struct elm_problem *problem;
    struct elm_task task;        /* only where it has one */
    bool has_task;
    struct elm_evidence evidence;        /* case_count 0: none */
    uint8_t *zeros;
    struct edits_program *programs;
    uint32_t program_count, first_attempt, attempt_count;
    struct elm_buf bytes;        /* edits */
    uint32_t first_item[ELM_LABELS], item_count[ELM_LABELS];
};
struct elm_edits {
    struct edits_run *runs;
    uint32_t run_count;
    struct edits_attempt *attempts;
    uint32_t attempt_count;
    struct edits_item *items;
    uint32_t item_count;
    bool wanted[ELM_LABELS];
};

/* edits_label.c: the items of all labels that are wanted. */
void edits_label(struct elm_edits *e, struct edits_run *r);
void edits_shuffle(struct elm_edits *e, struct edits_run *r, struct elm_rng *rng);

#endif
