/*
 * repair: a model mends a child that failed, told why. What it answers becomes a child of the same
 * parent.
 */
#include "elm/prompt.h"

static void *make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_prompt_new("repair");
}

static enum elm_status repair_prompt(void *self, const struct elm_operator_context *context,
                                     const struct elm_parents *parents, struct elm_rng *rng,
                                     struct elm_request *request, struct elm_error *err)
{
    struct elm_prompt_values values;
    if (parents->parent[0].broken.len == 0)
        return elm_fail(err, ELM_NOT_FOUND, "nothing is broken");
    elm_prompt_fill(context, parents, &values);
    return elm_prompt_ask(self, context, &values, values.text[ELM_PROMPT_BROKEN].len, rng, request,
                          err);
}

const struct elm_operator_kind elm_operator_repair = {
    .name = "repair",
    .summary = "a model mends a child that failed",
    .price_us = 40,
    .parents_min = 1,
    .make = make,
    .free = elm_prompt_free,
    .applies = elm_prompt_applies,
    .prompt = repair_prompt,
    .parse = elm_prompt_read_program,
};
