/* ending: what a try that has ended means for its request and its server. */
#include "elm/remote.h"

#include <stdio.h>
#include <string.h>

/* What a user can do about statuses that no second try mends; NULL for others. */
static const char *fix_of(long status, bool has_key, bool quota)
{
    if (status == 401 && !has_key)
        return "401, it wants a key: key-file=FILE or key-env=VAR";
    if (status == 401)
        return "401, key refused: check what key-file or key-env names";
    if (status == 402 || quota)
        return "no credit left in the account";
    if (status == 403)
        return "403, the key may not use this model or path";
    if (status == 404)
        return "404, no such path or model: check the url and model=NAME";
    return status / 100 == 3 ? "redirects: give the url that it points to" : NULL;
}

void elm_ending_status(struct elm_ending *e, long status, struct elm_str error_body, int64_t wait_s,
                       const struct elm_buf *key, uint32_t without)
{
    struct elm_buf said = {0};
    bool quota, words = elm_remote_error(error_body, &said, &quota);
    const char *fix = fix_of(status, key->len > 0, quota);
    *e = (struct elm_ending){.wait_us = wait_s <= 0 ? 0 : (wait_s > 604800 ? 604800 : wait_s) * 1000000};
    e->trouble = status == 408 || (status >= 500 && status != 501);
    e->busy = status == 429 || (e->trouble && e->wait_us > 0);
    e->alive = !e->trouble && !e->busy;
    if (status == 400 || status == 422)
        e->refused = elm_remote_refused(error_body) & ~without;
    e->verdict = fix != NULL ? ELM_VERDICT_STOP
                 : e->trouble || e->busy || e->refused != 0 ? ELM_VERDICT_AGAIN
                                                            : ELM_VERDICT_FAILED;
    elm_key_hide(key, said.ptr, said.len);
    if (fix != NULL)
        snprintf(e->why, sizeof(e->why), "%s", fix);
    else
        snprintf(e->why, sizeof(e->why), "%ld%s%s", status, words ? ": " : "",
                 words ? said.ptr : "");
    elm_buf_release(&said);
}

void elm_ending_answer(struct elm_ending *e, struct elm_answer *a)
{
    elm_answer_end(a);
    *e = (struct elm_ending){
        .verdict = a->good ? ELM_VERDICT_ANSWERED : a->again ? ELM_VERDICT_AGAIN : ELM_VERDICT_FAILED,
        .alive = a->complete,
        .trouble = !a->complete,
    };
    snprintf(e->why, sizeof(e->why), "%s", a->why);
}

struct elm_hold elm_ending_cost(const struct elm_answer *a, long status, const struct elm_hold *worst)
{
    uint64_t written = elm_remote_tokens(a->written);
    if (a->counted)
        return (struct elm_hold){a->prompt_tokens, a->tokens, 0};
    if (status >= 300 || a->page || (a->error && written == 0))
        return (struct elm_hold){0};
    bool known = a->complete || a->error || written > worst->tokens || worst->money == 0;
    return (struct elm_hold){worst->prompt_tokens, known ? written : worst->tokens, 0};
}
