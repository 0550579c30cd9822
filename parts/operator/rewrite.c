/* rewrite: a model writes the program anew, or what may change of it. */
#include "elm/prompt.h"

static void *make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_prompt_new("rewrite");
}

static enum elm_status rewrite_prompt(void *self, const struct elm_operator_context *context,
                                      const struct elm_parents *parents, struct elm_rng *rng,
                                      struct elm_request *request, struct elm_error *err)
{
    struct elm_prompt_values values;
    elm_prompt_fill(context, parents, &values);
    return elm_prompt_ask(self, context, &values, values.text[ELM_PROMPT_BLOCK].len, rng, request,
                          err);
}

const struct elm_operator_kind elm_operator_rewrite = {
    .name = "rewrite",
    .summary = "a model writes the program anew",
    .price_us = 40,
    .parents_min = 1,
    .make = make,
    .free = elm_prompt_free,
    .applies = elm_prompt_applies,
    .prompt = rewrite_prompt,
    .parse = elm_prompt_read_program,
};
