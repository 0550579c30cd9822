/* request: what requests and replies hold. */
#include "elm/backend.h"

void elm_request_release(struct elm_request *r)
{
    elm_buf_release(&r->system);
    elm_buf_release(&r->prompt);
    elm_grammar_free(r->grammar);
    *r = (struct elm_request){0};
}

void elm_reply_release(struct elm_reply *r)
{
    elm_buf_release(&r->text);
    elm_buf_release(&r->token_ids);
    elm_buf_release(&r->logprobs);
    *r = (struct elm_reply){0};
}
