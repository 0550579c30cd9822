/*
 * cycle: the operator learns from the search's own good and bad mutations. `elm cycle` is a client.
 *
 *     solve -> train -> gate -> measure -> move hardness -> the next round
 *
 * solve    searches with the operator as it is on training problems, each a stored run.
 * train    from the base weights, or from nothing, never from the last round's, on what all rounds so
 *          far have collected; round r takes r times the steps of the first. Of generated problems
 *          only those count that the operator solves in 10 to 90 % of its searches.
 * gate     the new weights against those in use, with the same operators, evaluations and seeds, on
 *          problems that nothing has seen (stream gate), or with seeds never used before on problems
 *          that are given. A pair's difference is that of their areas (elm/compare.h), or, where a
 *          problem has no target, whose area is larger, and that of QD if none has and all have
 *          measures. It goes on until the new one is better, or worse, or all pairs are spent. Valid
 *          however often it is looked at (src/learn/sequential.h); the chance that a cycle of any length
 *          ever adopts what is no better is below 5 %. What is not adopted is kept, and marked.
 * measure  on a report set that is the same in every round and decides nothing: the operator in use
 *          against controls, with intervals (elm/compare.h).
 * hardness of generated problems: the numbers of corruptions that are drawn move to where 10 to 90 %
 *          are solved.
 *
 * Every step's result is a file in the folder that appears whole or not at all. Killed anywhere and opened
 * again, a cycle goes on to the same end; only times (keys that begin with cpu) differ, and those of
 * work that was lost are not counted. Rounds may be added later.
 *
 *     FOLDER/cycle.json               its settings; another cycle's are refused
 *     FOLDER/base.gguf                the base weights; none where the trainer starts from nothing
 *     FOLDER/adopted.gguf             a copy of the weights in use, once a gate has adopted any
 *     FOLDER/report.md, rounds.svg    all rounds; cycle-report.json is the same for programs
 *     FOLDER/round-NN/runs/           its searches; NAME.c is the best program of NAME
 *     FOLDER/round-NN/model.gguf      what it trained
 *     FOLDER/round-NN/gate/, report/  comparisons; solve.json, train.json, gate.json, measure.json
 */
#ifndef ELM_CYCLE_H
#define ELM_CYCLE_H

#include "elm/compare.h"
#include "elm/trainer.h"

#define ELM_CYCLE_ROUNDS_MAX 99
#define ELM_CYCLE_ARMS_MAX 9
#define ELM_CYCLE_CORRUPTIONS_MAX 8

struct elm_cycle_def {
    struct elm_keeper *keeper;
    const char *folder;
    const char *const *problems;       /* [problem_count] as elm_problem_load takes them; or */
    uint32_t problem_count;
    bool generated;                    /* problems that the generator makes, new ones every round */
    uint32_t count;                    /* of them in a round */
    uint32_t corruptions_min, corruptions_max;     /* of the first round */
    uint32_t rounds;
    uint32_t seeds;                    /* searches of a problem in a round */
    uint64_t evaluations;              /* of a search, here, in the gate and in the report */
    uint32_t gate;                     /* pairs that it may take at most: problems, or seeds; 0: there is none,
                                          and all that was trained is adopted */
    uint32_t held_out;                 /* problems of the report, or seeds; 0: no report */
    const char *operators;             /* of the search: "nano,tree" */
    const char *controls;              /* names with commas (elm_cycle_control); "none" */
    struct elm_train_def train;        /* by which trainer, and how. Its model: "builtin", "random" or a
                                          file; its steps: of the first round; the cycle sets data,
                                          out, resume, seed and threads */
    uint64_t seed;
    uint32_t workers;                  /* 0: as many as cores; nothing but times depends on it */
    int level;
    bool unsafe;
    const char *problems_path, *cache_folder;
    struct elm_compare_about about;    /* for reports */
};
struct elm_cycle_def elm_default_cycle_def(void);
/* The i-th control's name and what it is; NULL after the last. */
const char *elm_cycle_control(size_t i, const char **summary);

/* An arm of the report. The first is the operator in use. */
struct elm_cycle_arm {
    char name[ELM_COMPARE_NAME_BYTES];
    struct elm_compare_value solved, gain, area;
    struct elm_compare_value ahead;    /* of the operator in use, in solved, or in gain where no problem
                                          has a target; paired */
    double p;                          /* of that, by rank, after Holm's correction */
    double cpu_run_s;                  /* mean of a run */
    double cpu_made_s;                 /* CPU time that making it has cost */
    double abstained;                  /* problems */
};
/* Numbers that do not exist (yet) are NaN. */
struct elm_cycle_round {
    /* solve */
    double corruptions_min, corruptions_max;
    double searches, evaluations;
    double solved;                     /* share of the searches on problems with a target */
    double solved_at[ELM_CYCLE_CORRUPTIONS_MAX];    /* by corruptions, 1 first */
    double valid;                      /* share of the attempts that were programs and ran */
    double better;                     /* share of the model's evaluated children better than their parent */
    double qd, coverage;               /* mean of the searches' archives at their end, where problems have
                                          measures: QD as of elm/compare.h, share of niches */
    double taught;                     /* problems that are learnt from */
    double annecs;                     /* generated problems so far that no program kept by earlier rounds
                                          solved when they were made, and one kept since does */
    double cpu_solve_s;
    /* train */
    double trained;                    /* 1; 0: there was nothing to learn from */
    double steps, samples, loss, cpu_train_s;
    /* gate */
    double pairs, wins, losses;
    double difference;                 /* mean, in area */
    double log_e, log_e_wanted;        /* natural logarithms */
    double adopted;                    /* 1 or 0 */
    double cpu_gate_s;
    /* measure */
    double arms;                       /* 0: no report */
    double amplification;              /* solved (gain, where no problem has a target) by search, over
                                          that by as many single samples from the seed */
    double cpu_measure_s;
    struct elm_cycle_arm arm[ELM_CYCLE_ARMS_MAX];
};
enum elm_cycle_step { ELM_CYCLE_SOLVE, ELM_CYCLE_TRAIN, ELM_CYCLE_GATE, ELM_CYCLE_MEASURE, ELM_CYCLE_END };
struct elm_cycle_progress {
    uint32_t round, rounds;            /* round from 1 */
    enum elm_cycle_step step;
    const char *what;                  /* "solve", "train", ... and what of it */
    double done, all;                  /* searches, steps, runs */
    double loss;                       /* while training; else NaN */
    const struct elm_cycle_round *ended;     /* the round's, at ELM_CYCLE_END; else NULL */
};

struct elm_cycle;
/* Checks everything that can be checked before work begins. Fails: ELM_USAGE (no problem, both kinds, a
 * problem outside core C, an unknown trainer, operator or control, the folder of another cycle: the setting
 * that differs is named), ELM_LOCKED, ELM_CORRUPT (a step's file: named), ELM_IO, ELM_FULL,
 * ELM_NOT_FOUND (no such model, none built in). */
enum elm_status elm_cycle_open(const struct elm_cycle_def *def, struct elm_cycle **out,
                               struct elm_error *err);
/* Runs to the end of the rounds. `tick` (nullable) is called now and then on this thread, and at the end of
 * each step; false stops (ELM_STOPPED): what is finished is kept. */
enum elm_status elm_cycle_run(struct elm_cycle *c,
                              bool (*tick)(void *ctx, const struct elm_cycle_progress *p), void *ctx,
                              struct elm_error *err);
void elm_cycle_close(struct elm_cycle *c);
/* The finished rounds; borrowed until close. */
const struct elm_cycle_round *elm_cycle_rounds(const struct elm_cycle *c, uint32_t *count);
/* All rounds as Markdown that reads well as it is, and as one JSON document. */
void elm_cycle_table(const struct elm_cycle *c, struct elm_buf *out);
void elm_cycle_json(const struct elm_cycle *c, struct elm_buf *out);

#endif
