/*
 * wrong: the shown cases that a program gets wrong, in words for a model: what went in, what was
 * wanted, what came out. The judge's own words stand where no exact answer exists.
 */
#include "search/state.h"

#include <string.h>

#define CASES_MAX 6
#define VALUES_MAX 16              /* of an array, before it is cut off */

static void print_value(struct elm_buf *out, uint8_t type, const uint8_t *at)
{
    if (type == ELM_TYPE_INT || type == ELM_TYPE_INT_ARRAY) {
        int32_t v;
        memcpy(&v, at, sizeof(v));
        elm_buf_printf(out, "%d", v);
    } else {
        double v;
        memcpy(&v, at, sizeof(v));
        elm_buf_printf(out, "%.6g", v);
    }
}

static void print_param(struct elm_buf *out, const struct elm_io_param *p, const uint8_t *at)
{
    bool array = p->type == ELM_TYPE_INT_ARRAY || p->type == ELM_TYPE_DOUBLE_ARRAY;
    uint32_t count = array ? p->dims[0] * (p->dims[1] > 0 ? p->dims[1] : 1) : 1;
    size_t width = p->type == ELM_TYPE_INT || p->type == ELM_TYPE_INT_ARRAY ? 4 : 8;
    elm_buf_printf(out, "%s=%s", p->name, array ? "{" : "");
    for (uint32_t i = 0; i < count && i < VALUES_MAX; i++) {
        elm_buf_add_str(out, elm_str(i > 0 ? ", " : ""));
        print_value(out, p->type, at + i * width);
    }
    elm_buf_printf(out, "%s%s", count > VALUES_MAX ? ", ..." : "", array ? "}" : "");
}

/* in: what a case holds; out: what one returned. */
static void print_side(struct elm_buf *text, const struct elm_io *io, const uint8_t *bytes,
                       bool in)
{
    bool first = true;
    if (!in && io->returns != ELM_TYPE_NONE) {
        print_value(text, io->returns, bytes);
        first = false;
    }
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        uint32_t offset = in ? p->in_offset : p->out_offset;
        if (offset == UINT32_MAX)
            continue;
        elm_buf_add_str(text, elm_str(first ? "" : ", "));
        print_param(text, p, bytes + offset);
        first = false;
    }
}

static void print_wrong(struct elm_search *s, struct held *h, const uint8_t *out,
                        const uint8_t *passes)
{
    const struct elm_io *io = &s->problem->io;
    const struct elm_evidence *e = &s->evidence;
    for (uint32_t i = 0, said = 0; i < e->case_count && said < CASES_MAX; i++) {
        if (passes[i])
            continue;
        elm_buf_printf(&h->wrong, "input ");
        print_side(&h->wrong, io, (const uint8_t *)e->in + (size_t)i * io->in_bytes, true);
        elm_buf_printf(&h->wrong, "; expected ");
        print_side(&h->wrong, io, (const uint8_t *)e->want + (size_t)i * io->out_bytes, false);
        elm_buf_printf(&h->wrong, "; got ");
        print_side(&h->wrong, io, out + (size_t)i * io->out_bytes, false);
        elm_buf_byte(&h->wrong, '\n');
        said++;
    }
}

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
    job.opponent = job.tree;
    job.opponent_text = job.text;
    h->explained = true;
    if (s->evidence.want == NULL) {
        enum elm_status status = elm_evaluator_explain(s->explainer, &job, CASES_MAX, &h->wrong,
                                                       err);
        return status == ELM_NOT_FOUND ? ELM_OK : status;
    }
    ELM_TRY(elm_evaluator_run(s->explainer, &job, 1, ELM_SET_SHOWN, ELM_TIER_FAST, err));
    if (job.evaluation.status == ELM_EVAL_OK)
        print_wrong(s, h, elm_evaluator_outputs(s->explainer, 0),
                    elm_evaluator_passes(s->explainer, 0));
    return ELM_OK;
}
