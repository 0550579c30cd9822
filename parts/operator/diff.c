/*
 * diff: a model answers with changes to the program: SEARCH/REPLACE blocks, or unified hunks as the
 * diff models of Lehman et al. 2022 write them.
 */
#include "elm/answer.h"
#include "elm/prompt.h"

#define CHANGES_BYTES 6000         /* a longer program needs no longer changes */

static void *make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_prompt_new("diff");
}

static enum elm_status diff_prompt(void *self, const struct elm_operator_context *context,
                                   const struct elm_parents *parents, struct elm_rng *rng,
                                   struct elm_request *request, struct elm_error *err)
{
    struct elm_prompt_values values;
    elm_prompt_fill(context, parents, &values);
    size_t block = values.text[ELM_PROMPT_BLOCK].len;
    return elm_prompt_ask(self, context, &values, block < CHANGES_BYTES ? block : CHANGES_BYTES, rng,
                          request, err);
}

static enum elm_status diff_parse(void *self, const struct elm_operator_context *context,
                                  const struct elm_parents *parents,
                                  const struct elm_request *request, struct elm_str reply,
                                  struct elm_edit *edits, uint32_t *edit_count,
                                  struct elm_buf *text, struct elm_error *err)
{
    (void)self;
    (void)request;
    (void)edits;
    struct elm_str program = elm_prompt_program(context, &parents->parent[0]);
    *edit_count = 0;
    return elm_answer_diff(program, reply, text, err);
}

const struct elm_operator_kind elm_operator_diff = {
    .name = "diff",
    .summary = "a model changes some lines of the program",
    .price_us = 40,
    .parents_min = 1,
    .make = make,
    .free = elm_prompt_free,
    .applies = elm_prompt_applies,
    .answer_tokens = 100,
    .prompt = diff_prompt,
    .parse = diff_parse,
};
