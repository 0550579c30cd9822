/*
 * edits: what a run's own attempts teach the tree-edit model (elm/nano.h): of each attempt of any
 * operator the parent, the child and what became of it, as lessons under a label.
 *
 *     run folders -> attempts (parent, child, outcome) -> items of each label -> lessons
 *
 * No attempt has a label whose verdict is suspect, undecided or the evaluator's fault, nor one that was
 * known before or changed nothing. Problems must be in core C; where the judge is a reference the
 * lessons have the evidence that operators see, where the program has no inputs its one run, else none.
 */
#ifndef ELM_EDITS_H
#define ELM_EDITS_H

#include "elm/nano.h"
#include "elm/store.h"

enum elm_edit_label {
    ELM_LABEL_GOOD,      /* better than its parent, or admitted to the archive; all fitnesses of parents alike */
    ELM_LABEL_BINARY,    /* all children of one parent; reward 1 where better, and what counts is the reward
                            less the group's mean: below 0 for the rejected ones (REINFORCE) */
    ELM_LABEL_GRADED,    /* the same; the reward is the rank of the improvement, 0 to 1, ties between */
    ELM_LABEL_JUMP,      /* an admitted program and an ancestor two to six edits before it and worse: all
                            the way as one edit of at most five holes */
    ELM_LABEL_ELITES,    /* an elite of the run's end, broken on purpose one to three times as the generator
                            does it, and how to mend it */
    ELM_LABELS,
};
const char *elm_edit_label_name(enum elm_edit_label label);      /* "good" ... */

struct elm_edits_def {
    const char *const *runs;             /* [run_count]: folders */
    uint32_t run_count;
    const char *problems_path;           /* NULL: as the runs say */
    const char *labels;                  /* "good,jump"; NULL: good */
    bool shuffled;                       /* outcomes change places within each run: a control that has the
                                            same programs and nothing of what became of them */
    uint64_t seed;                       /* of that */
};
struct elm_edits;                        /* any thread may read */
/* Fails: ELM_USAGE (a label, a problem outside core C), ELM_NOTHING (runs without anything of one of the
 * labels), ELM_PARSE (no run folder), ELM_NOT_FOUND, ELM_CORRUPT, ELM_IO. */
enum elm_status elm_edits_open(const struct elm_edits_def *def, struct elm_edits **out,
                               struct elm_error *err);
void elm_edits_close(struct elm_edits *e);

/* An attempt with a label. */
struct elm_edits_record {
    uint32_t run;
    uint8_t operator_index, status, outcome, better;
    int64_t parent, child;               /* attempts of the run */
    double fitness, improvement;         /* on the parent's fitness; -INFINITY where it has none */
    double measures[ELM_MEASURES_MAX];
    uint32_t measure_count;
};
uint64_t elm_edits_count(const struct elm_edits *e);
void elm_edits_record(const struct elm_edits *e, uint64_t index, struct elm_edits_record *out);
/* Lessons of a label that there are, of those asked for. */
uint64_t elm_edits_items(const struct elm_edits *e, enum elm_edit_label label);

struct elm_edits_memory;                 /* one thread's */
struct elm_edits_memory *elm_edits_memory_new(void);
void elm_edits_memory_free(struct elm_edits_memory *m);
struct elm_edits_lesson {
    struct elm_nano_exercise exercise;   /* its trees are the memory's, until the next call */
    enum elm_edit_label label;
    double coefficient;                  /* 1 or -1: what counts more is drawn more often */
    const struct elm_edit *edits;        /* that make the child; NULL: not known */
    uint32_t edit_count;
};
/* Draws a label, a run, an item of it. False: nothing came of it, draw again. Same rng, same lesson. */
bool elm_edits_draw(const struct elm_edits *e, struct elm_edits_memory *m, struct elm_rng *rng,
                    struct elm_edits_lesson *out);

#endif
