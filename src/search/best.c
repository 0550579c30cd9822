/*
 * best: a stored run's best program, evaluated again on scored and audit cases and by gcc -O2,
 * and with every hunk of its difference from the seed taken out that is not needed.
 */
#include "elm/diff.h"
#include "search/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct trial {
    const struct elm_problem *problem;
    struct elm_names *names;
    struct elm_evaluator *evaluator;
};

/* Parses, checks and evaluates a text; one outside core C goes as it is. */
static enum elm_status evaluate_text(const struct trial *t, struct elm_str text, enum elm_set set,
                                     enum elm_tier tier, struct elm_str opponent,
                                     struct elm_evaluation *out, struct elm_error *err)
{
    struct elm_job job = {.text = text, .opponent_text = opponent};
    struct elm_tree tree = {0}, other = {0};
    if (t->problem->seed.count > 0 && tier == ELM_TIER_FAST) {
        if (elm_tree_parse(text, t->names, &tree, NULL) == ELM_OK) {
            if (elm_tree_check(&tree, t->names, NULL) == ELM_OK)
                job.tree = &tree;
        }
        if (opponent.len > 0 && elm_tree_parse(opponent, t->names, &other, NULL) == ELM_OK &&
            elm_tree_check(&other, t->names, NULL) == ELM_OK)
            job.opponent = &other;
    }
    enum elm_status status = elm_evaluator_run(t->evaluator, &job, 1, set, tier, err);
    *out = job.evaluation;
    elm_tree_release(&tree);
    elm_tree_release(&other);
    return status;
}

/* b with the hunks whose bit is 0 left as they are in a. */
static void build(struct elm_str a, struct elm_str b, const struct elm_hunk *hunks,
                  const uint8_t *wanted, uint32_t count, struct elm_buf *out)
{
    struct elm_str *la, *lb;
    uint32_t n = elm_lines(a, &la);
    elm_lines(b, &lb);
    uint32_t i = 0;
    for (uint32_t h = 0; h <= count; h++) {
        uint32_t until = h < count ? hunks[h].a_first : n;
        for (; i < until; i++)
            elm_buf_printf(out, "%.*s\n", (int)la[i].len, la[i].ptr);
        if (h == count || !wanted[h])
            continue;
        for (uint32_t k = 0; k < hunks[h].b_count; k++) {
            struct elm_str line = lb[hunks[h].b_first + k];
            elm_buf_printf(out, "%.*s\n", (int)line.len, line.ptr);
        }
        i += hunks[h].a_count;
    }
    free(la);
    free(lb);
}

static bool keeps(const struct trial *t, struct elm_str text, struct elm_str original,
                  double fitness)
{
    struct elm_evaluation e;
    bool compare = t->problem->judge == ELM_JUDGE_COMPARE;
    if (evaluate_text(t, text, ELM_SET_SCORED, ELM_TIER_FAST,
                      compare ? original : (struct elm_str){0}, &e, NULL) != ELM_OK ||
        e.status != ELM_EVAL_OK)
        return false;
    return compare ? e.compared >= 0 : e.fitness >= fitness;
}

/* Takes hunks out in ever smaller groups while the fitness stays; source: ddmin. */
static void minimise(const struct trial *t, struct elm_str seed, struct elm_best_report *out)
{
    struct elm_hunk *hunks;
    struct elm_str whole = elm_buf_str(&out->text);
    uint32_t count = elm_diff(seed, whole, &hunks);
    uint8_t *wanted = elm_malloc(count + 1);
    memset(wanted, 1, count + 1);
    out->hunks_before = out->hunks_after = count;
    struct elm_buf kept = {0};
    elm_buf_add_str(&kept, whole);
    for (uint32_t group = count; group > 0; group /= 2) {
        for (uint32_t first = 0; first < count; first += group) {
            uint32_t removed = 0;
            uint8_t *was = elm_malloc(count + 1);
            memcpy(was, wanted, count);
            for (uint32_t h = first; h < count && h < first + group; h++) {
                removed += wanted[h];
                wanted[h] = 0;
            }
            struct elm_buf text = {0};
            build(seed, whole, hunks, wanted, count, &text);
            if (removed > 0 && keeps(t, elm_buf_str(&text), whole, out->scored.fitness)) {
                out->hunks_after -= removed;
                elm_buf_clear(&kept);
                elm_buf_add_str(&kept, elm_buf_str(&text));
            } else {
                memcpy(wanted, was, count);
            }
            elm_buf_release(&text);
            free(was);
        }
    }
    free(wanted);
    free(hunks);
    elm_buf_release(&out->text);
    out->text = kept;
}

static bool agree(const struct elm_problem *p, const struct elm_evaluation *a,
                  const struct elm_evaluation *b)
{
    if (a->status != b->status)
        return false;
    return a->status != ELM_EVAL_OK || p->judge == ELM_JUDGE_COMPARE ||
           fabs(a->fitness - b->fitness) <= p->tolerance;
}

/* With the headers that another compiler wants. */
static void complete(const struct trial *t, struct elm_buf *text)
{
    struct elm_tree tree = {0};
    struct elm_buf full = {0};
    if (elm_tree_parse(elm_buf_str(text), t->names, &tree, NULL) == ELM_OK &&
        elm_tree_check(&tree, t->names, NULL) == ELM_OK)
        elm_tree_includes(&tree, t->names, &full);
    elm_buf_add_str(&full, elm_buf_str(text));
    elm_tree_release(&tree);
    elm_buf_release(text);
    *text = full;
}

static enum elm_status report(const struct trial *t, struct elm_buf *seed_text, bool minimal,
                              struct elm_best_report *out, struct elm_error *err)
{
    const struct elm_problem *p = t->problem;
    struct elm_str seed = elm_buf_str(seed_text);
    struct elm_str against = p->judge == ELM_JUDGE_COMPARE ? seed : (struct elm_str){0};
    struct elm_evaluation s;
    ELM_TRY(evaluate_text(t, elm_buf_str(&out->text), ELM_SET_SCORED, ELM_TIER_FAST, against,
                          &out->scored, err));
    if (minimal && out->scored.status == ELM_EVAL_OK) {
        minimise(t, seed, out);
        ELM_TRY(evaluate_text(t, elm_buf_str(&out->text), ELM_SET_SCORED, ELM_TIER_FAST, against,
                              &out->scored, err));
    }
    ELM_TRY(evaluate_text(t, seed, ELM_SET_SCORED, ELM_TIER_FAST, against, &s, err));
    out->seed_scored = s.fitness;
    out->agrees = true;
    out->audit = out->scored_gcc = out->scored;
    out->seed_audit = s.fitness;
    /* only now: to take an #include away changes nothing in the VM */
    complete(t, &out->text);
    complete(t, seed_text);
    if (p->judge == ELM_JUDGE_COMMAND)
        return ELM_OK;
    seed = elm_buf_str(seed_text);
    against.ptr = against.len > 0 ? seed.ptr : NULL;
    against.len = against.len > 0 ? seed.len : 0;
    ELM_TRY(evaluate_text(t, seed, ELM_SET_AUDIT, ELM_TIER_FAST, against, &s, err));
    out->seed_audit = s.fitness;
    ELM_TRY(evaluate_text(t, elm_buf_str(&out->text), ELM_SET_AUDIT, ELM_TIER_FAST, against,
                          &out->audit, err));
    /* steps exist in the VM only: a judge that counts them has nothing to say of gcc's run */
    if (!p->needs_steps) {
        ELM_TRY(evaluate_text(t, elm_buf_str(&out->text), ELM_SET_SCORED, ELM_TIER_GCC, against,
                              &out->scored_gcc, err));
        out->agrees = agree(p, &out->scored, &out->scored_gcc);
    }
    struct elm_job job = {.text = elm_buf_str(&out->text)};
    struct elm_tree tree = {0};
    if (elm_tree_parse(job.text, t->names, &tree, NULL) == ELM_OK &&
        elm_tree_check(&tree, t->names, NULL) == ELM_OK)
        job.tree = &tree;
    enum elm_status status = elm_evaluator_picture(t->evaluator, &job, &out->picture, err);
    elm_tree_release(&tree);
    return status == ELM_NOT_FOUND ? ELM_OK : status;
}

/* The program's id and text; the store has the text of everything admitted. */
static enum elm_status find_text(const char *folder, const struct elm_problem *problem,
                                 struct elm_best_report *out, struct elm_buf *seed,
                                 struct elm_error *err)
{
    struct elm_search *s;
    ELM_TRY(search_look(folder, problem, RESTORE_LOOK, &s, err));
    const struct elm_elite *best = s->archive_kind->best(s->archive);
    if (out->id < 0 && best != NULL)
        out->id = best->id;
    enum elm_status status = elm_store_text(s->store, out->id, &out->text, err);
    if (status == ELM_NOT_FOUND) {
        status = elm_fail(err, ELM_NOT_FOUND, "the run kept no program %lld; it keeps those it "
                          "admitted: see `elm show %s`", (long long)out->id, folder);
    }
    if (status == ELM_OK)
        status = elm_store_text(s->store, 0, seed, err);
    elm_search_close(s, NULL);
    return status;
}

enum elm_status elm_search_best(struct elm_keeper *keeper, const char *folder,
                                const char *problems_path, int64_t id, bool minimal, int level,
                                struct elm_best_report *out, struct elm_error *err)
{
    struct elm_problem *problem;
    *out = (struct elm_best_report){.id = id};
    ELM_TRY(elm_search_problem(folder, problems_path, &problem, err));
    struct elm_buf seed = {0};
    struct trial t = {.problem = problem, .names = problem->names};
    enum elm_status status = find_text(folder, problem, out, &seed, err);
    if (status == ELM_OK) {
        struct elm_search_def def = elm_default_search_def();
        def.keeper = keeper;
        def.problem = problem;
        def.level = level;
        status = search_choose_level(&def, err);
        if (status == ELM_OK)
            status = search_open_evaluator(&def, &t.evaluator, err);
    }
    if (status == ELM_OK) {
        status = report(&t, &seed, minimal, out, err);
        elm_evaluator_close(t.evaluator);
    }
    elm_buf_release(&seed);
    elm_problem_free(problem);
    if (status != ELM_OK) {
        elm_buf_release(&out->text);
        elm_buf_release(&out->picture);
    }
    return status;
}
