/* words: the spelling of every enumeration that a user sees. */
#include "elm/program.h"

const char *elm_eval_status_name(enum elm_eval_status status)
{
    static const char *const names[ELM_EVAL_STATUSES] = {
        [ELM_EVAL_OK] = "ok",
        [ELM_EVAL_NO_CHANGE] = "no-change",
        [ELM_EVAL_DUPLICATE] = "duplicate",
        [ELM_EVAL_PARSE_FAILED] = "parse-failed",
        [ELM_EVAL_BUILD_FAILED] = "build-failed",
        [ELM_EVAL_CRASHED] = "crashed",
        [ELM_EVAL_TIMEOUT] = "timeout",
        [ELM_EVAL_MEMORY] = "memory",
        [ELM_EVAL_REFUSED] = "refused",
        [ELM_EVAL_INVALID] = "invalid",
        [ELM_EVAL_SUSPECT] = "suspect",
        [ELM_EVAL_FAULT] = "evaluator-fault",
        [ELM_EVAL_TOO_LARGE] = "too-large",
    };
    ELM_ASSERT((unsigned)status < ELM_EVAL_STATUSES);
    return names[status];
}

const char *elm_outcome_name(enum elm_outcome outcome)
{
    static const char *const names[] = {"none", "rejected", "improved", "new"};
    ELM_ASSERT((unsigned)outcome < ELM_COUNT(names));
    return names[outcome];
}
