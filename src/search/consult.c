/*
 * consult: batches of the operators that ask a model. Questions of a whole batch go to the backend
 * together, a few parents and several children of each, so that a prompt's beginning is computed
 * once; the search waits for the answers, so that the same seed asks the same.
 */
#include "search/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GROUP 16                   /* children asked of the same parents */
#define LOCAL_BATCHES 2            /* a model here is asked for as many batches' children at a time:
                                      long answers keep few rows busy */
#define WAIT_MS 100
#define SILENT_MAX 10              /* the pause grows to 2^10 batches */
#define MODEL_STREAM (1ull << 63)  /* draws that belong to a batch, not to an attempt */

struct question {
    uint32_t item;                 /* of the batch */
    uint32_t arm;
    struct held *parents[2];       /* references */
    uint32_t parent_count;
    bool answered;                 /* and the answer is kept: not to be asked again */
};

struct consultation {
    struct batch *batch;
    struct elm_request *requests;
    struct elm_reply *replies;
    struct question *questions;    /* of the requests */
    uint32_t count;
};

/* Those of its requests that the model is asked now, side by side. */
struct asking {
    struct elm_request *requests;  /* views */
    struct elm_reply *replies;
    uint32_t *place;               /* of each among the consultation's */
    uint32_t count;
};

bool consult_wanted(const struct elm_search *s, int64_t number)
{
    if (s->sampler == NULL || s->model_first == s->operator_count || s->spent)
        return false;
    if (s->model_first == 0)
        return true;
    if (number < s->silent_until || s->def.model_share <= 0)
        return false;
    double model = 0, other = 0;
    for (uint32_t i = 0; i < s->operator_count; i++)
        *(i < s->model_first ? &other : &model) += s->bandit.price_us[i];
    model /= s->operator_count - s->model_first;
    other /= s->model_first;
    double share = s->def.model_share;
    struct elm_rng rng = elm_rng(s->def.seed, MODEL_STREAM | (uint64_t)number);
    /* the share is one of listed cost: a dear batch comes the more seldom */
    return elm_rng_chance(&rng, share * other / (share * other + (1 - share) * model));
}

static void free_consultation(struct elm_search *s, struct consultation *k)
{
    batch_free(&s->held, k->batch);
    for (uint32_t i = 0; i < k->count; i++) {
        elm_request_release(&k->requests[i]);
        elm_reply_release(&k->replies[i]);
        for (uint32_t p = 0; p < k->questions[i].parent_count; p++)
            held_unref(&s->held, k->questions[i].parents[p]);
    }
    free(k->requests);
    free(k->replies);
    free(k->questions);
    free(k);
}

void consult_free(struct elm_search *s)
{
    struct consultation *k = s->pending;
    s->pending = NULL;
    if (k != NULL)
        free_consultation(s, k);
}

static struct elm_parent as_parent(const struct held *h)
{
    return (struct elm_parent){
        .id = h->id,
        .tree = h->tree.count > 0 ? &h->tree : NULL,
        .text = elm_buf_str(&h->text),
        .editable = h->editable,
        .editable_count = h->editable_count,
        .evaluation = &h->evaluation,
        .wrong = elm_buf_str(&h->wrong),
        .broken = elm_buf_str(&h->broken),
        .broken_why = elm_str(h->broken_why),
    };
}

/* Has the operator write what it wants to know for one child. */
static enum elm_status write_request(struct elm_search *s, struct consultation *k, uint32_t arm,
                                     const struct elm_parents *parents, struct elm_rng *rng,
                                     struct elm_error *err)
{
    uint32_t item = k->batch->count - 1;
    struct elm_request *request = &k->requests[k->count];
    struct elm_operator_context context = ask_context(s);
    enum elm_status status = s->operators[arm]->prompt(s->operator_self[arm], &context, parents,
                                                       rng, request, err);
    if (status == ELM_NOT_FOUND) {
        elm_request_release(request);
        ask_reject(&k->batch->items[item], ELM_EVAL_NO_CHANGE, "the operator found nothing to ask");
        return ELM_OK;
    }
    ELM_TRY(status);
    request->seed = elm_hash_mix(s->def.seed, (uint64_t)k->batch->items[item].attempt.id);
    struct question *q = &k->questions[k->count++];
    *q = (struct question){.item = item, .arm = arm, .parent_count = parents->count};
    for (uint32_t i = 0; i < parents->count; i++)
        q->parents[i] = held_ref(held_find(&s->held, parents->parent[i].id));
    return ELM_OK;
}

/* Children of the same parents by the same operator. */
static enum elm_status write_group(struct elm_search *s, struct consultation *k, uint32_t size,
                                   struct elm_error *err)
{
    struct elm_parent parents[2];
    uint32_t arm = 0, count = 0;
    uint8_t group_flags = 0;
    struct held *first = NULL;
    for (uint32_t i = 0; i < size; i++) {
        struct candidate *c = ask_attempt(s, k->batch);
        struct elm_rng rng = elm_rng(s->def.seed, (uint64_t)c->attempt.id);
        if (i == 0) {
            arm = bandit_draw(&s->bandit, s->model_first, s->operator_count, &rng);
            first = ask_parents(s, c, &rng, s->operators[arm]->parents_min, parents, &count);
            ELM_TRY(wrong_cases(s, first, err));
            group_flags = c->attempt.flags;
            for (uint32_t p = 0; p < count; p++)
                parents[p] = as_parent(held_find(&s->held, parents[p].id));
        } else {
            ask_count(s, first->id);
        }
        c->attempt.flags |= group_flags;
        bandit_count(&s->bandit, arm);
        c->attempt.operator_index = (uint8_t)arm;
        c->attempt.parents[0] = parents[0].id;
        c->attempt.parents[1] = count > 1 ? parents[1].id : -1;
        c->parent = held_ref(first);
        if (s->problem->judge == ELM_JUDGE_COMPARE || s->noisy) {
            c->opponent = held_ref(first);
            c->attempt.opponent = first->id;
        }
        ELM_TRY(write_request(s, k, arm, &(struct elm_parents){parents, count}, &rng, err));
    }
    return ELM_OK;
}

static enum elm_status write_requests(struct elm_search *s, struct consultation *k,
                                      struct elm_error *err)
{
    const struct elm_backend_kind *backend = elm_backend_find(s->def.backend);
    uint32_t size = ask_batch_size(s) * (backend->local ? LOCAL_BATCHES : 1);
    uint32_t step = size < GROUP ? size : GROUP;
    k->batch = elm_calloc(1, sizeof(*k->batch));
    k->batch->number = s->next_ask;
    k->requests = elm_calloc(size, sizeof(k->requests[0]));
    k->replies = elm_calloc(size, sizeof(k->replies[0]));
    k->questions = elm_calloc(size, sizeof(k->questions[0]));
    for (uint32_t at = 0; at < size; at += step)
        ELM_TRY(write_group(s, k, size - at < step ? size - at : step, err));
    return ELM_OK;
}

static enum elm_status wait_for_answers(struct elm_search *s, struct elm_error *err)
{
    bool done = false, stopped = false;
    while (!done) {
        if (!stopped && s->waiting != NULL)
            stopped = !s->waiting(s);
        if (stopped)
            sampler_cancel(s->sampler);
        enum elm_status status = sampler_wait(s->sampler, WAIT_MS, &done, err);
        if (done && !(stopped && status == ELM_OK))
            return status;
    }
    return ELM_STOPPED;
}

static struct elm_call call_of(const struct elm_search *s, const struct consultation *k, uint32_t i)
{
    const struct elm_reply *r = &k->replies[i];
    struct elm_call call = {
        .attempt = k->batch->items[k->questions[i].item].attempt.id,
        .end = (uint8_t)r->end,
        .prompt_tokens = r->prompt_tokens,
        .tokens = r->tokens,
        .money = r->money,
        .wall_us = r->wall_us,
        .why = elm_str(r->why),
    };
    /* the counts stay, whatever is kept: budgets are of the whole run */
    if (s->def.keep == ELM_KEEP_STATS)
        return call;
    call.prompt = elm_buf_str(&k->requests[i].prompt);
    call.answer = elm_buf_str(&r->text);
    call.token_ids = elm_buf_str(&r->token_ids);
    call.logprobs = elm_buf_str(&r->logprobs);
    return call;
}

static enum elm_status keep_calls(struct elm_search *s, struct consultation *k,
                                  const struct asking *now, bool stopped, struct elm_error *err)
{
    struct elm_call *calls = elm_calloc(now->count, sizeof(*calls));
    uint32_t count = 0;
    for (uint32_t j = 0; j < now->count; j++) {
        uint32_t i = now->place[j];
        k->questions[i].answered = k->replies[i].end != ELM_REPLY_FAILED;
        /* what was cancelled before it cost anything will be asked again */
        if (!stopped || k->questions[i].answered || k->replies[i].prompt_tokens > 0)
            calls[count++] = call_of(s, k, i);
    }
    enum elm_status status = ELM_OK;
    if (s->store != NULL && count > 0)
        status = elm_store_calls(s->store, calls, count, err);
    free(calls);
    return status;
}

/* Takes an answer that an earlier part of the run was given to the same question, before it was
 * stopped or killed with the batch unfinished. */
static enum elm_status recall(struct elm_search *s, struct consultation *k, uint32_t i,
                              struct elm_arena *arena, struct elm_error *err)
{
    struct elm_call call;
    struct elm_error why = {0};
    int64_t attempt = k->batch->items[k->questions[i].item].attempt.id;
    enum elm_status status = elm_store_call(s->store, attempt, arena, &call, &why);
    if (status == ELM_NOT_FOUND || status == ELM_CORRUPT)
        return ELM_OK;
    if (status != ELM_OK && err != NULL)
        *err = why;
    ELM_TRY(status);
    bool whole = call.end == ELM_REPLY_DONE || call.end == ELM_REPLY_LENGTH;
    if (!whole || call.prompt.len == 0 ||
        !elm_str_equal(call.prompt, elm_buf_str(&k->requests[i].prompt)))
        return ELM_OK;
    struct elm_reply *r = &k->replies[i];
    r->end = (enum elm_reply_end)call.end;
    r->prompt_tokens = call.prompt_tokens;
    r->tokens = call.tokens;
    r->money = call.money;
    r->wall_us = call.wall_us;
    elm_buf_add_str(&r->text, call.answer);
    elm_buf_add_str(&r->token_ids, call.token_ids);
    elm_buf_add_str(&r->logprobs, call.logprobs);
    k->questions[i].answered = true;
    s->recalls = true;
    return ELM_OK;
}

static enum elm_status recall_all(struct elm_search *s, struct consultation *k,
                                  struct elm_error *err)
{
    struct elm_arena arena = {0};
    enum elm_status status = ELM_OK;
    s->recalls = false;
    for (uint32_t i = 0; i < k->count && status == ELM_OK; i++) {
        status = recall(s, k, i, &arena, err);
        elm_arena_clear(&arena);
    }
    elm_arena_release(&arena);
    return status;
}

static enum elm_status read_reply(struct elm_search *s, struct consultation *k, uint32_t i,
                                  struct elm_error *err)
{
    const struct question *q = &k->questions[i];
    const struct elm_reply *r = &k->replies[i];
    struct candidate *c = &k->batch->items[q->item];
    if (r->end == ELM_REPLY_FAILED) {
        ask_reject(c, ELM_EVAL_FAULT, r->why[0] != '\0' ? r->why : "no answer");
        return ELM_OK;
    }
    struct elm_parent parents[2];
    for (uint32_t p = 0; p < q->parent_count; p++)
        parents[p] = as_parent(q->parents[p]);
    struct elm_operator_context context = ask_context(s);
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t edit_count = 0;
    struct elm_buf text = {0};
    struct elm_error why = {0};
    enum elm_status status = s->operators[q->arm]->parse(
        s->operator_self[q->arm], &context, &(struct elm_parents){parents, q->parent_count},
        &k->requests[i], elm_buf_str(&r->text), edits, &edit_count, &text, &why);
    if (status == ELM_PARSE) {
        ask_reject(c, ELM_EVAL_PARSE_FAILED, why.message);
        status = ELM_OK;
    } else if (status == ELM_OK && edit_count > 0) {
        ask_edits(s, k->batch, c, edits, edit_count);
    } else if (status == ELM_OK) {
        ask_text(s, k->batch, c, elm_buf_str(&text));
    } else if (err != NULL) {
        *err = why;
    }
    elm_buf_release(&text);
    return status;
}

/* A backend that answers nothing is asked ever more seldom; where there is nothing else to do the
 * search waits for it. */
static void note_silence(struct elm_search *s, const struct consultation *k)
{
    uint32_t answered = 0;
    for (uint32_t i = 0; i < k->count; i++)
        answered += k->replies[i].end != ELM_REPLY_FAILED;
    if (answered > 0 || k->count == 0) {
        s->silent = 0;
        return;
    }
    s->silent += s->silent < SILENT_MAX;
    s->silent_until = s->next_ask + (1 << s->silent);
    for (uint32_t ms = 0; s->model_first == 0 && ms < 10u << s->silent; ms += WAIT_MS) {
        if (s->waiting != NULL && !s->waiting(s))
            break;
        nanosleep(&(struct timespec){0, WAIT_MS * 1000000}, NULL);
    }
}

static enum elm_status read_replies(struct elm_search *s, struct consultation *k, struct batch *b,
                                    struct elm_error *err)
{
    for (uint32_t i = 0; i < k->count; i++)
        ELM_TRY(read_reply(s, k, i, err));
    uint32_t found = 0;
    for (uint32_t i = 0; i < k->batch->count; i++) {
        struct candidate *c = &k->batch->items[i];
        found += c->evaluate;
        if (!c->evaluate)
            elm_tree_release(&c->tree);
    }
    s->barren = found == 0 ? s->barren + 1 : 0;
    s->next_ask++;
    note_silence(s, k);
    *b = *k->batch;
    *k->batch = (struct batch){0};
    return ELM_OK;
}

/* Asks what has no answer yet. */
static enum elm_status ask_rest(struct elm_search *s, struct consultation *k, struct elm_error *err)
{
    struct asking now = {elm_calloc(k->count, sizeof(*now.requests)),
                         elm_calloc(k->count, sizeof(*now.replies)),
                         elm_calloc(k->count, sizeof(*now.place)), 0};
    for (uint32_t i = 0; i < k->count; i++) {
        if (k->questions[i].answered)
            continue;
        elm_reply_release(&k->replies[i]);
        now.requests[now.count] = k->requests[i];
        now.place[now.count++] = i;
    }
    enum elm_status status = ELM_OK;
    if (now.count > 0) {
        sampler_submit(s->sampler, now.requests, now.count, GROUP, now.replies);
        status = wait_for_answers(s, err);
        for (uint32_t j = 0; j < now.count; j++)
            k->replies[now.place[j]] = now.replies[j];
        enum elm_status kept = keep_calls(s, k, &now, status == ELM_STOPPED, err);
        status = kept != ELM_OK ? kept : status;
    }
    free(now.requests);
    free(now.replies);
    free(now.place);
    return status;
}

enum elm_status consult_ask(struct elm_search *s, struct batch *b, struct elm_error *err)
{
    struct consultation *k = s->pending;
    enum elm_status status = ELM_OK;
    if (k == NULL) {
        k = s->pending = elm_calloc(1, sizeof(*k));
        status = write_requests(s, k, err);
        if (status == ELM_OK && s->recalls && k->count > 0)
            status = recall_all(s, k, err);
    }
    if (status == ELM_OK && k->count > 0)
        status = ask_rest(s, k, err);
    if (status == ELM_RANGE) {
        /* what was answered is used, and then the run ends */
        s->spent = true;
        status = ELM_OK;
    }
    if (status == ELM_STOPPED)
        return status;
    s->pending = NULL;
    if (status == ELM_OK)
        status = read_replies(s, k, b, err);
    free_consultation(s, k);
    return status;
}
