/* wrong: what the judge says of the shown cases that a program gets wrong, for a model. */
#include "search/state.h"

#include "elm/prompt.h"

enum elm_status wrong_cases(struct elm_search *s, struct held *h, struct elm_error *err)
{
    if (h->explained || s->problem->judge == ELM_JUDGE_COMMAND)
        return ELM_OK;
    if (s->explainer == NULL)
        ELM_TRY(search_open_evaluator(&s->def, &s->explainer, err));
    struct elm_job job = {0};
    if (h->tree.count > 0)
        job.tree = &h->tree;
    else
        job.text = elm_buf_str(&h->text);
    if (s->problem->judge == ELM_JUDGE_COMPARE) {
        job.opponent = job.tree;
        job.opponent_text = job.text;
    }
    h->explained = true;
    enum elm_status status = elm_evaluator_explain(s->explainer, &job, ELM_PROMPT_WRONG_CASES,
                                                   &h->wrong, err);
    /* not every judge explains */
    return status == ELM_NOT_FOUND ? ELM_OK : status;
}
