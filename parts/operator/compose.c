/*
 * compose: a model writes all that may change of a program, under a grammar that admits only what builds,
 * from nothing but the problem's summary. Parents play no part: it draws samples, the search only keeps
 * them. For models that were trained on what runs admitted (elm train --admitted).
 */
#include "elm/compose.h"

#include <stdlib.h>

#define TOKENS_MAX 1024
#define TEMPERATURE 1.0f

struct compose {
    struct elm_compose *spot;      /* NULL: not for this problem */
    struct elm_prompt *prompt;
};

static void *make(const struct elm_problem *problem)
{
    struct compose *s = elm_calloc(1, sizeof(*s));
    s->prompt = elm_prompt_new("compose");
    if (elm_compose_open(problem, &s->spot, NULL) != ELM_OK)
        s->spot = NULL;
    return s;
}

static void compose_free(void *self)
{
    struct compose *s = self;
    elm_prompt_free(s->prompt);
    elm_compose_close(s->spot);
    free(s);
}

static bool applies(const struct elm_problem *problem, const struct elm_evidence *evidence,
                    const char **why)
{
    struct elm_compose *spot;
    (void)evidence;
    if (elm_compose_open(problem, &spot, NULL) == ELM_OK) {
        elm_compose_close(spot);
        return true;
    }
    if (why != NULL)
        *why = "the entry has no body in core C that may be written anew";
    return false;
}

static enum elm_status prompt(void *self, const struct elm_operator_context *context,
                              const struct elm_parents *parents, struct elm_rng *rng,
                              struct elm_request *request, struct elm_error *err)
{
    struct compose *s = self;
    (void)parents;
    if (s->spot == NULL)
        return elm_fail(err, ELM_NOT_FOUND, "no body that may be written anew");
    ELM_TRY(elm_compose_ask(s->spot, s->prompt, context->prompts_folder, request, err));
    request->seed = elm_rng_u64(rng);
    request->tokens_max = TOKENS_MAX;
    request->temperature = TEMPERATURE;
    return ELM_OK;
}

static enum elm_status parse(void *self, const struct elm_operator_context *context,
                             const struct elm_parents *parents, const struct elm_request *request,
                             struct elm_str reply, struct elm_edit *edits, uint32_t *edit_count,
                             struct elm_buf *text, struct elm_error *err)
{
    struct compose *s = self;
    (void)context;
    (void)parents;
    (void)request;
    (void)edits;
    *edit_count = 0;
    if (s->spot == NULL)
        return elm_fail(err, ELM_PARSE, "no body that may be written anew");
    return elm_compose_program(s->spot, reply, text, err);
}

const struct elm_operator_kind elm_operator_compose = {
    .name = "compose",
    .summary = "a model writes all that may change, from nothing, so that it always builds",
    .price_us = 1000,
    .parents_min = 1,
    .by_name = true,
    .make = make,
    .free = compose_free,
    .applies = applies,
    .needs_masks = true,
    .prompt = prompt,
    .parse = parse,
};
