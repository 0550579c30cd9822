/*
 * span: a language model as operator, on problems of the suite: runs of `span` alone, stored, then
 * every child looked at again.
 *
 *   model_children_per_s_NAME   children sampled, evaluated and stored a second of wall time
 *   model_build_ratio_NAME      of all attempts, those that parse and build
 *   model_tokens_NAME           mean tokens of a child
 *   model_distinct_ratio_NAME   of all attempts, those not seen before in the run that also answer
 *                               some shown or scored case otherwise than their parent
 *   ... and the same over all problems, without _NAME.
 * `span MODEL SECONDS [BACKEND]`; `span random SECONDS scripted` is the untrained control.
 */
#include "elm/elm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct elm_keeper *keeper;

struct tally {
    double seconds;
    uint64_t attempts, built, changed, calls, tokens;
};

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "span: %s\n", err->message);
    exit(1);
}

struct review {
    struct elm_problem *problem;
    struct elm_store *store;
    struct elm_evaluator *evaluator;
    struct elm_arena arena;
    struct tally *tally;
};

static bool read_tree(struct review *r, struct elm_str text, struct elm_tree *tree)
{
    if (elm_tree_parse(text, r->problem->names, tree, NULL) != ELM_OK)
        return false;
    if (elm_tree_check(tree, r->problem->names, NULL) == ELM_OK)
        return true;
    elm_tree_release(tree);
    return false;
}

static uint64_t behaviour(struct review *r, const struct elm_tree *tree)
{
    uint64_t both = 0;
    static const enum elm_set sets[] = {ELM_SET_SHOWN, ELM_SET_SCORED};
    for (size_t i = 0; i < ELM_COUNT(sets); i++) {
        struct elm_error err = {0};
        struct elm_job job = {.tree = tree};
        check(elm_evaluator_run(r->evaluator, &job, 1, sets[i], ELM_TIER_FAST, &err), &err);
        both = elm_hash_mix(both, job.evaluation.status == ELM_EVAL_OK
                                      ? job.evaluation.signature
                                      : (uint64_t)job.evaluation.status + 1);
    }
    return both;
}

/* Does the child of an evaluated attempt behave otherwise than its parent? */
static bool changes(struct review *r, const struct elm_attempt *a)
{
    struct elm_error err = {0};
    struct elm_buf text = {0};
    struct elm_tree parent = {0}, child = {0};
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t count = 0;
    bool changed = false;
    elm_arena_clear(&r->arena);
    check(elm_store_text(r->store, a->parents[0], &text, &err), &err);
    bool made = read_tree(r, elm_buf_str(&text), &parent);
    if (a->flags & ELM_ATTEMPT_TEXT) {
        made = made && read_tree(r, a->edit, &child);
    } else {
        made = made &&
               elm_edits_decode(a->edit.ptr, a->edit.len, edits, &count, &r->arena, &err) == ELM_OK &&
               elm_tree_edit(&parent, edits, count, &child, &err) == ELM_OK &&
               elm_tree_check(&child, r->problem->names, &err) == ELM_OK;
    }
    changed = made && behaviour(r, &parent) != behaviour(r, &child);
    elm_tree_release(&parent);
    elm_tree_release(&child);
    elm_buf_release(&text);
    return changed;
}

static bool look(void *ctx, const struct elm_attempt *a)
{
    struct review *r = ctx;
    struct elm_call call;
    if (a->id == 0)
        return true;
    r->tally->attempts++;
    r->tally->built += a->status != ELM_EVAL_PARSE_FAILED && a->status != ELM_EVAL_BUILD_FAILED &&
                       a->status != ELM_EVAL_FAULT;
    if (a->hash != 0)
        r->tally->changed += changes(r, a);
    elm_arena_clear(&r->arena);
    if (elm_store_call(r->store, a->id, &r->arena, &call, NULL) == ELM_OK) {
        r->tally->calls++;
        r->tally->tokens += call.tokens;
    }
    return true;
}

static void review(struct elm_problem *problem, const char *folder, struct tally *tally)
{
    struct elm_error err = {0};
    struct review r = {.problem = problem, .tally = tally};
    char *judge;
    check(elm_judge_build(problem, NULL, &judge, &err), &err);
    struct elm_evaluator_def def = {.keeper = keeper, .problem = problem, .judge_path = judge,
                                    .level = 2};
    check(elm_evaluator_open(&def, &r.evaluator, &err), &err);
    check(elm_store_open(folder, ELM_STORE_READ, &r.store, &err), &err);
    check(elm_store_each(r.store, 0, look, &r, &err), &err);
    elm_store_close(r.store, NULL);
    elm_evaluator_close(r.evaluator);
    elm_arena_release(&r.arena);
    free(judge);
}

static void print(const char *name, const struct tally *t)
{
    double attempts = (double)t->attempts;
    printf("model_children_per_s%s %.1f children/s\n", name, attempts / t->seconds);
    printf("model_build_ratio%s %.3f share\n", name, (double)t->built / attempts);
    printf("model_tokens%s %.1f tokens\n", name, (double)t->tokens / (double)t->calls);
    printf("model_distinct_ratio%s %.3f share\n", name, (double)t->changed / attempts);
    fflush(stdout);
}

static void measure(const char *name, const char *backend, const char *model, double seconds,
                    struct tally *all)
{
    struct elm_error err = {0};
    struct elm_problem *problem;
    struct elm_search *s;
    struct elm_search_stats stats;
    enum elm_search_end end;
    struct tally t = {0};
    char folder[] = "/tmp/elm-bench-XXXXXX", suffix[80];
    if (mkdtemp(folder) == NULL)
        exit(1);
    check(elm_problem_load(name, "problems", &problem, &err), &err);
    struct elm_search_def def = elm_default_search_def();
    def.keeper = keeper;
    def.problem = problem;
    def.folder = folder;
    def.operators = "span";
    def.backend = backend;
    def.model.model = model;
    def.minutes = seconds / 60;
    check(elm_search_open(&def, &s, &err), &err);
    int64_t from = elm_clock_us();
    check(elm_search_run(s, NULL, NULL, &end, &err), &err);
    t.seconds = (double)(elm_clock_us() - from) / 1e6;
    elm_search_stats(s, &stats);
    check(elm_search_close(s, &err), &err);
    review(problem, folder, &t);
    snprintf(suffix, sizeof(suffix), "_%s", name);
    print(suffix, &t);
    all->seconds += t.seconds;
    all->attempts += t.attempts;
    all->built += t.built;
    all->changed += t.changed;
    all->calls += t.calls;
    all->tokens += t.tokens;
    elm_problem_free(problem);
    check(elm_store_delete(folder, &err), &err);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    struct elm_error err = {0};
    const char *model = argc > 1 ? argv[1] : "smollm2";
    double seconds = argc > 2 ? atof(argv[2]) : 20;
    const char *backend = argc > 3 ? argv[3] : "native";
    struct tally all = {0};
    check(elm_keeper_open(&keeper, &err), &err);
    static const char *const names[] = {"sort", "regression", "quadratic", "parity", "circles"};
    for (size_t i = 0; i < ELM_COUNT(names); i++)
        measure(names[i], backend, model, seconds, &all);
    print("", &all);
    elm_keeper_close(keeper);
    return 0;
}
