/* show_prompt: what models are asked: a file of prompts, or the request for a problem's seed. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/text.h"

#include "elm/answer.h"
#include "elm/prompt.h"
#include "elm/sandbox.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The seed of a problem as both parents of a child. */
struct asking {
    const struct elm_operator_kind *kind;
    struct elm_problem *problem;
    struct elm_keeper *keeper;
    struct elm_evaluator *evaluator;
    struct elm_evidence evidence;
    struct elm_evaluation evaluation;
    struct elm_buf wrong, broken, why;
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    struct elm_request request;
};

static enum elm_status unknown_operator(const char *name, struct elm_error *err)
{
    const char *names[OPTION_WORDS_MAX + 1] = {0};
    for (size_t i = 0; i < OPTION_WORDS_MAX && elm_prompt_name(i) != NULL; i++)
        names[i] = elm_prompt_name(i);
    struct elm_buf all = {0};
    text_join(&all, names, ", ");
    const char *near = name == NULL ? NULL : text_nearest(name, names);
    enum elm_status status;
    if (name == NULL) {
        status = elm_fail(err, ELM_USAGE, "elm show prompt takes an operator: %s", all.ptr);
    } else {
        status = elm_fail(err, ELM_USAGE, "'%.80s' is no operator that asks a model; it can be "
                          "%s%s%s%s", name, all.ptr, near != NULL ? "; nearest is '" : "",
                          near != NULL ? near : "", near != NULL ? "'" : "");
    }
    elm_buf_release(&all);
    return status;
}

static enum elm_status open_evaluator(struct asking *a, struct elm_error *err)
{
    struct elm_sandbox_report report;
    char *judge = NULL;
    ELM_TRY(elm_keeper_open(&a->keeper, err));
    ELM_TRY(elm_sandbox_probe(a->keeper, &report, err));
    if (report.level < 2)
        return elm_fail(err, ELM_SANDBOX, "no sandbox contains it here: see `elm doctor`");
    ELM_TRY(elm_judge_build(a->problem, NULL, &judge, err));
    struct elm_evaluator_def def = {.keeper = a->keeper, .problem = a->problem, .judge_path = judge,
                                    .level = report.level};
    enum elm_status status = elm_evaluator_open(&def, &a->evaluator, err);
    free(judge);
    return status;
}

/* What the judge says of the seed, as a search would have it. */
static enum elm_status evaluate(struct asking *a, struct elm_error *err)
{
    struct elm_job job = {.text = elm_str(a->problem->seed_text)};
    if (a->problem->seed.count > 0)
        job.tree = &a->problem->seed;
    if (a->problem->judge == ELM_JUDGE_COMPARE) {
        job.opponent = job.tree;
        job.opponent_text = job.text;
    }
    ELM_TRY(open_evaluator(a, err));
    ELM_TRY(elm_evaluator_run(a->evaluator, &job, 1, ELM_SET_SCORED, ELM_TIER_FAST, err));
    a->evaluation = job.evaluation;
    const void *in, *want;
    elm_evaluator_evidence(a->evaluator, &a->evidence.case_count, &in, &want,
                           &a->evidence.want_mask);
    a->evidence.in = in;
    a->evidence.want = want;
    enum elm_status status = elm_evaluator_explain(a->evaluator, &job, ELM_PROMPT_WRONG_CASES,
                                                   &a->wrong, err);
    return status == ELM_NOT_FOUND ? ELM_OK : status;
}

/* The seed works; `repair` is shown one that lacks the last line of what may change. */
static void break_seed(struct asking *a)
{
    struct elm_str seed = elm_str(a->problem->seed_text);
    struct elm_answer_span spans[ELM_ANSWER_SPANS_MAX];
    struct elm_error err = {0};
    struct elm_tree tree = {0};
    bool marked;
    uint32_t count = elm_answer_spans(seed, spans, &marked);
    size_t end = spans[count - 1].at + spans[count - 1].len, line = end;
    while (line > 0 && strchr(" \t\r\n", seed.ptr[line - 1]) != NULL)
        line--;
    while (line > 0 && seed.ptr[line - 1] != '\n')
        line--;
    elm_buf_add(&a->broken, seed.ptr, line);
    elm_buf_add(&a->broken, seed.ptr + end, seed.len - end);
    bool told = a->problem->seed.count > 0 &&
                elm_tree_parse(elm_buf_str(&a->broken), a->problem->names, &tree, &err) != ELM_OK;
    elm_buf_printf(&a->why, "%s", told ? err.message
                                       : elm_eval_status_name(ELM_EVAL_BUILD_FAILED));
    elm_tree_release(&tree);
    fprintf(stderr, "elm: nothing is broken yet; this shows the seed without its last line\n");
}

static enum elm_status ask(struct asking *a, const char *folder, struct elm_error *err)
{
    struct elm_parent both[2] = {{.id = 0, .evaluation = &a->evaluation,
                                  .wrong = elm_buf_str(&a->wrong),
                                  .broken = elm_buf_str(&a->broken),
                                  .broken_why = elm_buf_str(&a->why)}};
    if (a->problem->seed.count > 0) {
        both[0].tree = &a->problem->seed;
        both[0].editable = a->editable;
        both[0].editable_count = elm_tree_editable(&a->problem->seed, a->problem->names,
                                                   a->editable);
    } else {
        both[0].text = elm_str(a->problem->seed_text);
    }
    both[1] = both[0];
    both[1].id = 1;
    struct elm_arena arena = {0};
    struct elm_pool *pool = elm_pool_new();
    struct elm_vm_memory *vm = elm_vm_memory_new();
    struct elm_operator_context context = {.problem = a->problem, .evidence = &a->evidence,
                                           .pool = pool, .vm = vm, .arena = &arena,
                                           .prompts_folder = folder};
    struct elm_parents parents = {both, a->kind->parents_min};
    struct elm_rng rng = elm_rng(1, 1);
    void *self = a->kind->make != NULL ? a->kind->make(a->problem) : NULL;
    enum elm_status status = a->kind->prompt(self, &context, &parents, &rng, &a->request, err);
    if (a->kind->free != NULL)
        a->kind->free(self);
    elm_vm_memory_free(vm);
    elm_pool_free(pool);
    elm_arena_release(&arena);
    return status;
}

static void print_request(const struct asking *a, bool json)
{
    const struct elm_request *r = &a->request;
    if (json) {
        json_print(json_make("{sssosososbsisf}", "operator", a->kind->name, "problem",
                             json_text(elm_str(a->problem->name)), "system",
                             json_text(elm_buf_str(&r->system)), "prompt",
                             json_text(elm_buf_str(&r->prompt)), "raw", (int)r->raw, "tokens_max",
                             (int)r->tokens_max, "temperature", (double)r->temperature),
                   stdout, false);
        return;
    }
    struct elm_buf out = {0};
    if (r->system.len > 0) {
        elm_buf_printf(&out, "[system]\n");
        text_safe(&out, elm_buf_str(&r->system));
        elm_buf_printf(&out, "\n\n");
    }
    elm_buf_printf(&out, r->raw ? "[to be continued]\n" : "[user]\n");
    text_safe(&out, elm_buf_str(&r->prompt));
    elm_buf_byte(&out, '\n');
    text_print(stdout, &out);
    elm_buf_release(&out);
}

static enum elm_status show_request(const struct invocation *v, struct asking *a,
                                    struct elm_error *err)
{
    struct elm_error why = {0};
    enum elm_status status = elm_problem_load(v->args[2], opt_text(v, OPT_PROBLEMS_PATH),
                                              &a->problem, err);
    if (status == ELM_NOT_FOUND)
        err->status = ELM_USAGE;
    ELM_TRY(status);
    if (evaluate(a, &why) != ELM_OK) {
        fprintf(stderr, "elm: the seed is not evaluated: ");
        text_put(stderr, elm_str(why.message));
        fprintf(stderr, "\n");
        a->evaluation.status = ELM_EVAL_FAULT;
    }
    if (strcmp(a->kind->name, "repair") == 0)
        break_seed(a);
    ELM_TRY(ask(a, opt_text(v, OPT_PROMPTS), err));
    print_request(a, opt_on(v, OPT_JSON));
    return ELM_OK;
}

static enum elm_status show_file(const struct invocation *v, struct elm_error *err)
{
    struct elm_prompt *p = elm_prompt_new(v->args[1]);
    enum elm_status status = elm_prompt_load(p, opt_text(v, OPT_PROMPTS), err);
    if (status == ELM_OK && opt_on(v, OPT_JSON)) {
        json_print(json_make("{ssso}", "operator", v->args[1], "file",
                             json_text(elm_prompt_source(p))), stdout, false);
    } else if (status == ELM_OK) {
        text_put(stdout, elm_prompt_source(p));
    }
    elm_prompt_free(p);
    return status;
}

static enum elm_status show(const struct invocation *v, struct asking *a, struct elm_error *err)
{
    const char *name = v->args[1];
    bool known = false;
    for (size_t i = 0; name != NULL && elm_prompt_name(i) != NULL; i++)
        known = known || strcmp(name, elm_prompt_name(i)) == 0;
    if (!known)
        return unknown_operator(name, err);
    if (v->arg_count == 2)
        return show_file(v, err);
    a->kind = elm_operator_find(name);
    if (a->kind == NULL || a->kind->prompt == NULL)
        return elm_fail(err, ELM_USAGE, "there is no operator '%s' here; see `elm list operators`",
                        name);
    return show_request(v, a, err);
}

int show_prompt(const struct invocation *v)
{
    struct asking a = {0};
    struct elm_error err = {0};
    enum elm_status status = show(v, &a, &err);
    elm_buf_release(&a.wrong);
    elm_buf_release(&a.broken);
    elm_buf_release(&a.why);
    elm_buf_release(&a.request.system);
    elm_buf_release(&a.request.prompt);
    if (a.evaluator != NULL)
        elm_evaluator_close(a.evaluator);
    if (a.keeper != NULL)
        elm_keeper_close(a.keeper);
    if (a.problem != NULL)
        elm_problem_free(a.problem);
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}
