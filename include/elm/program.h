/*
 * program: the words of the search. A program is immutable text with a hash; a candidate is a program
 * asked for and not yet told; an evaluation is what one run of it gave; an outcome is what the
 * archive said of it.
 */
#ifndef ELM_PROGRAM_H
#define ELM_PROGRAM_H

#include "elm/base.h"
#include "elm/judge.h"

/* What became of an attempt. A candidate that crashes is data, never an error. Order is part of
 * the store's format: append only. */
enum elm_eval_status {
    ELM_EVAL_OK,
    ELM_EVAL_NO_CHANGE,        /* same program as a parent */
    ELM_EVAL_DUPLICATE,        /* normal form seen before in this run: not evaluated again */
    ELM_EVAL_PARSE_FAILED,     /* no program in the operator's answer, or it doesn't parse */
    ELM_EVAL_BUILD_FAILED,     /* the compiler or elm_tree_check refused it */
    ELM_EVAL_CRASHED,          /* undefined behaviour or a signal */
    ELM_EVAL_TIMEOUT,          /* out of fuel, CPU or wall time */
    ELM_EVAL_MEMORY,
    ELM_EVAL_REFUSED,          /* tried what the cage forbids */
    ELM_EVAL_INVALID,          /* NaN, wrong shape, rule of the problem broken */
    ELM_EVAL_SUSPECT,          /* right for the wrong reason: tiers disagree */
    ELM_EVAL_FAULT,            /* the evaluator's fault, not the candidate's: carries no label */
    ELM_EVAL_TOO_LARGE,        /* beyond the operator's edit cap or the node limit */
    ELM_EVAL_STATUSES,
};
const char *elm_eval_status_name(enum elm_eval_status status);   /* "build-failed" */

enum elm_outcome { ELM_OUTCOME_NONE, ELM_OUTCOME_REJECTED, ELM_OUTCOME_IMPROVED, ELM_OUTCOME_NEW };
const char *elm_outcome_name(enum elm_outcome outcome);

/* Child against its parent by the judge on the same cases: the binary label. */
enum elm_better { ELM_BETTER_UNDECIDED, ELM_BETTER_NO, ELM_BETTER_YES };

struct elm_evaluation {
    enum elm_eval_status status;
    double fitness;                        /* valid when OK and the judge scores */
    double measures[ELM_MEASURES_MAX];     /* valid when OK */
    uint64_t steps;                        /* VM steps over all cases, 0 outside the VM */
    uint64_t signature;                    /* hash of the outputs: equal behaviour, equal hash */
    uint32_t cpu_us;                       /* information only; never decides */
    uint16_t passed, cases;
    int8_t compared;                       /* comparison judge: +1 better than the opponent, -1, 0 */
    bool in_vm;
    char why[96];                          /* first reason of a failure: "index out of bounds" */
};

#endif
