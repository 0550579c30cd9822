/* cross: a model makes one program of two. */
#include "elm/prompt.h"

static void *make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_prompt_new("cross");
}

static enum elm_status cross_prompt(void *self, const struct elm_operator_context *context,
                                    const struct elm_parents *parents, struct elm_rng *rng,
                                    struct elm_request *request, struct elm_error *err)
{
    struct elm_prompt_values values;
    if (parents->count < 2 || parents->parent[0].id == parents->parent[1].id)
        return elm_fail(err, ELM_NOT_FOUND, "there is one program only");
    elm_prompt_fill(context, parents, &values);
    return elm_prompt_ask(self, context, &values, values.text[ELM_PROMPT_BLOCK].len, rng, request,
                          err);
}

const struct elm_operator_kind elm_operator_cross = {
    .name = "cross",
    .summary = "a model joins two programs",
    .price_us = 40,
    .parents_min = 2,
    .make = make,
    .free = elm_prompt_free,
    .applies = elm_prompt_applies,
    .prompt = cross_prompt,
    .parse = elm_prompt_read_program,
};
