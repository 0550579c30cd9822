/*
 * tell: outcome = add(archive, evaluation), in order of attempt ids; counts, rewards, stores.
 * For a stored batch it repeats what was done, and notices when that is no longer possible.
 */
#include "search/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill_attempt(const struct elm_search *s, struct candidate *c)
{
    struct elm_attempt *a = &c->attempt;
    const struct elm_evaluation *e = &c->evaluation;
    a->status = (uint8_t)e->status;
    a->steps = e->steps;
    a->arrival_us = elm_clock_us() - s->opened_us;
    memcpy(a->why, e->why, sizeof(a->why) - 1);
    if (e->status != ELM_EVAL_OK)
        return;
    a->fitness = e->fitness;
    a->measure_count = s->problem->measure_count;
    memcpy(a->measures, e->measures, sizeof(a->measures));
}

static void fill_evaluation(struct candidate *c)
{
    const struct elm_attempt *a = &c->attempt;
    c->evaluation = (struct elm_evaluation){.status = a->status, .fitness = a->fitness,
                                            .steps = a->steps};
    memcpy(c->evaluation.measures, a->measures, sizeof(a->measures));
}

/* Child against parent by the judge on the same cases: the label. */
static enum elm_better label(const struct elm_search *s, const struct candidate *c)
{
    const struct elm_evaluation *e = &c->evaluation;
    if (e->status == ELM_EVAL_FAULT || e->status == ELM_EVAL_SUSPECT)
        return ELM_BETTER_UNDECIDED;
    if (e->status != ELM_EVAL_OK)
        return ELM_BETTER_NO;
    if (s->problem->judge == ELM_JUDGE_COMPARE) {
        return e->compared > 0   ? ELM_BETTER_YES
               : e->compared < 0 ? ELM_BETTER_NO
                                 : ELM_BETTER_UNDECIDED;
    }
    if (s->noisy)
        return c->attempt.better;
    return e->fitness > c->parent->evaluation.fitness ? ELM_BETTER_YES : ELM_BETTER_NO;
}

static struct elm_str kept_text(const struct batch *b, const struct candidate *c)
{
    return (struct elm_str){c->text_len > 0 ? b->texts.ptr + c->text_at : NULL, c->text_len};
}

static struct elm_str text_of(const struct batch *b, const struct candidate *c)
{
    if (c->again != NULL)
        return elm_buf_str(&c->again->text);
    if (b->stored)
        return c->attempt.edit.len > 0 ? c->attempt.edit : kept_text(b, c);
    return (struct elm_str){b->edits.ptr + c->edit_at, c->edit_len};
}

/* The child's tree: kept from asking, or made again from parent and edit; from its text where the
 * run keeps no edits. */
static enum elm_status take_tree(struct elm_search *s, const struct batch *b,
                                 struct candidate *c, struct elm_tree *tree,
                                 struct elm_error *err)
{
    if (c->again != NULL) {
        if (c->again->tree.count > 0)
            *tree = elm_tree_copy(&c->again->tree);
        return ELM_OK;
    }
    bool is_text = (c->attempt.flags & ELM_ATTEMPT_TEXT) != 0;
    if (is_text && c->tree.count == 0)
        search_read_text(s, text_of(b, c), &c->tree, NULL);
    if (c->tree.count > 0 || is_text) {
        struct elm_tree own = c->tree;
        c->tree = (struct elm_tree){0};
        *tree = own;
        return ELM_OK;
    }
    if (c->attempt.edit.len == 0) {
        ELM_TRY(elm_tree_parse(kept_text(b, c), s->problem->names, tree, err));
        return elm_tree_check(tree, s->problem->names, err);
    }
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t count = 0;
    elm_arena_clear(&s->arena);
    ELM_TRY(elm_edits_decode(c->attempt.edit.ptr, c->attempt.edit.len, edits, &count, &s->arena,
                             err));
    ELM_TRY(elm_tree_edit(&c->parent->tree, edits, count, tree, err));
    return elm_tree_check(tree, s->problem->names, err);
}

/* What operators see of a parent is what the store keeps of it, so that a resumed run equals an
 * undisturbed one. */
static struct elm_evaluation remembered(const struct elm_evaluation *e)
{
    struct elm_evaluation kept = {.status = e->status, .fitness = e->fitness, .steps = e->steps};
    memcpy(kept.measures, e->measures, sizeof(kept.measures));
    return kept;
}

/* The archive's group that its parent was drawn from; a rematch is fought in its program's. */
static uint32_t group_of(const struct candidate *c)
{
    return c->again != NULL ? c->again->group
                            : (uint32_t)c->attempt.flags >> ELM_ATTEMPT_GROUP_SHIFT;
}

static enum elm_status hold(struct elm_search *s, struct batch *b, struct candidate *c,
                            struct held **out, struct elm_error *err)
{
    struct elm_tree tree = {0};
    struct elm_evaluation kept = remembered(&c->evaluation);
    enum elm_status status = take_tree(s, b, c, &tree, err);
    if (status != ELM_OK) {
        elm_tree_release(&tree);
        return status;
    }
    *out = held_new(&s->held, c->attempt.id, &tree, text_of(b, c), s->problem->names, &kept);
    (*out)->parent = c->again != NULL ? c->again->parent : c->attempt.parents[0];
    (*out)->group = group_of(c);
    (*out)->passes = c->passes;
    held_inherit(*out, c->again != NULL ? c->again : c->parent);
    return ELM_OK;
}

/* In every place that it has: groups may share it. */
static void count_win(struct elm_search *s, int64_t parent)
{
    uint32_t elites = s->archive_kind->count(s->archive);
    for (uint32_t k = 0; k < elites; k++) {
        struct elm_elite *elite = s->archive_kind->at(s->archive, k);
        elite->wins += elite->id == parent;
    }
}

static enum elm_status ask_rematch(struct elm_search *s, struct batch *b, struct candidate *c,
                                   int64_t holder, struct elm_error *err)
{
    uint32_t met = (c->attempt.flags >> ELM_ATTEMPT_MET_SHIFT) + 1u;
    struct held *opponent = held_find(&s->held, holder);
    if (met > REMATCH_MAX || opponent == NULL)
        return ELM_OK;
    struct held *child = held_ref(c->again);
    if (child == NULL)
        ELM_TRY(hold(s, b, c, &child, err));
    if (s->rematch_count == s->rematch_cap) {
        s->rematch_cap = s->rematch_cap == 0 ? 16 : s->rematch_cap * 2;
        s->rematches = elm_realloc(s->rematches, s->rematch_cap * sizeof(s->rematches[0]));
    }
    s->rematches[s->rematch_count++] = (struct rematch){child, held_ref(opponent), met};
    return ELM_OK;
}

static struct elm_add_result offer(struct elm_search *s, struct candidate *c)
{
    struct elm_evaluation *e = &c->evaluation;
    const struct elm_tree *tree = c->again != NULL ? &c->again->tree : &c->tree;
    struct elm_entrant x = {.id = c->attempt.id, .parent = c->attempt.parents[0],
                            .group = group_of(c), .nodes = tree->count, .evaluation = e};
    if (s->problem->judge == ELM_JUDGE_COMPARE) {
        /* a rematch names its program where others name their parent */
        x.parent = c->opponent->id;
        e->fitness = c->attempt.fitness = c->opponent->evaluation.fitness + 1;
        return s->archive_kind->beat(s->archive, &x, c->opponent->id);
    }
    return s->archive_kind->add(s->archive, &x);
}

void search_changed(const struct elm_search *s, struct elm_change change)
{
    if (s->def.changed == NULL)
        return;
    change.evaluations = s->stats.evaluations;
    s->def.changed(s->def.changed_ctx, &change);
}

static void tell_moved(const struct elm_search *s, enum elm_change_kind kind, const int64_t *ids,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        search_changed(s, (struct elm_change){.kind = kind, .id = ids[i], .parent = -1,
                                              .evicted = -1});
}

/* The archive holds a reference for every place that a program has. */
static void tend(struct elm_search *s)
{
    struct elm_moves m = {0};
    if (s->archive_kind->tend == NULL)
        return;
    s->archive_kind->tend(s->archive, &m);
    if (m.copied_count + m.dropped_count > 0)
        s->cases.fresh = false;
    tell_moved(s, ELM_CHANGE_COPIED, m.copied, m.copied_count);
    tell_moved(s, ELM_CHANGE_DROPPED, m.dropped, m.dropped_count);
    for (uint32_t i = 0; i < m.copied_count; i++)
        held_ref(held_find(&s->held, m.copied[i]));
    for (uint32_t i = 0; i < m.dropped_count; i++)
        held_unref(&s->held, held_find(&s->held, m.dropped[i]));
}

static void keep_text(struct elm_search *s, struct batch *b, struct candidate *c,
                      const struct held *h)
{
    c->text_at = b->texts.len;
    if (h->tree.count > 0)
        elm_tree_print(&h->tree, s->problem->names, &b->texts);
    else
        elm_buf_add_str(&b->texts, elm_buf_str(&h->text));
    c->text_len = b->texts.len - c->text_at;
}

/* Offers an OK candidate to the archive, and keeps it when it is taken. */
static enum elm_status admit(struct elm_search *s, struct batch *b, struct candidate *c,
                             struct elm_error *err)
{
    enum elm_outcome stored = c->attempt.outcome;
    if (b->stored && stored == ELM_OUTCOME_REJECTED)
        return ELM_OK;
    if (b->stored && c->again == NULL && c->tree.count == 0)
        ELM_TRY(take_tree(s, b, c, &c->tree, err));
    struct elm_add_result r = offer(s, c);
    c->attempt.outcome = (uint8_t)r.outcome;
    if (b->stored && r.outcome != stored) {
        return elm_fail(err, ELM_CORRUPT, "attempt %lld was '%s' in the run, and is '%s' now",
                        (long long)c->attempt.id, elm_outcome_name(stored),
                        elm_outcome_name(r.outcome));
    }
    if (r.outcome == ELM_OUTCOME_NONE)
        return ask_rematch(s, b, c, r.evicted, err);
    if (r.outcome == ELM_OUTCOME_REJECTED)
        return ELM_OK;
    struct held *h;
    ELM_TRY(hold(s, b, c, &h, err));
    s->cases.fresh = false;
    if (h->tree.count > 0)
        elm_pool_add(s->pool, &h->tree);
    if (!b->stored)
        keep_text(s, b, c, h);
    count_win(s, c->attempt.parents[0]);
    search_changed(s, (struct elm_change){.kind = ELM_CHANGE_ADDED, .id = h->id,
                                          .parent = h->parent, .evicted = r.evicted,
                                          .nodes = h->tree.count});
    if (r.evicted >= 0)
        held_unref(&s->held, held_find(&s->held, r.evicted));
    return ELM_OK;
}

static void count_attempt(struct elm_search *s, const struct candidate *c)
{
    const struct elm_attempt *a = &c->attempt;
    s->stats.attempts++;
    s->stats.by_status[a->status]++;
    s->stats.ok += a->status == ELM_EVAL_OK;
    s->stats.evaluations += a->hash != 0;
    if (a->operator_index >= s->operator_count)
        return;
    struct elm_operator_stats *o = &s->operator_stats[a->operator_index];
    o->attempts++;
    o->evaluations += a->hash != 0;
    o->better += a->better == ELM_BETTER_YES;
    o->admitted += a->outcome >= ELM_OUTCOME_IMPROVED;
}

/* A model's child that failed is what `repair` asks about; only where the log could tell it again. */
static void keep_broken(struct elm_search *s, const struct batch *b, const struct candidate *c)
{
    uint8_t status = c->attempt.status;
    bool failed = status == ELM_EVAL_BUILD_FAILED || status == ELM_EVAL_CRASHED ||
                  status == ELM_EVAL_TIMEOUT || status == ELM_EVAL_INVALID;
    if (s->def.keep != ELM_KEEP_ALL || !failed || (c->attempt.flags & ELM_ATTEMPT_TEXT) == 0 || c->parent == NULL ||
        c->attempt.operator_index < s->model_first)
        return;
    elm_buf_clear(&c->parent->broken);
    elm_buf_add_str(&c->parent->broken, text_of(b, c));
    memcpy(c->parent->broken_why, c->attempt.why, sizeof(c->parent->broken_why));
}

/* Before the archive may take the tree. */
static void report(struct elm_search *s, const struct batch *b, struct candidate *c)
{
    if (s->def.told == NULL || b->stored || c->attempt.hash == 0)
        return;
    struct elm_told t = {.evaluations = s->stats.evaluations + 1, .evaluation = &c->evaluation,
                         .tree = c->tree.count > 0 ? &c->tree : NULL};
    if (t.tree == NULL)
        t.text = text_of(b, c);
    s->def.told(s->def.told_ctx, &t);
}

static enum elm_status tell_one(struct elm_search *s, struct batch *b, struct candidate *c,
                                struct elm_error *err)
{
    bool rematch = (c->attempt.flags & ELM_ATTEMPT_REMATCH) != 0;
    bool evaluated = c->attempt.hash != 0 || rematch;
    if (evaluated) {
        if (b->stored)
            fill_evaluation(c);
        else
            fill_attempt(s, c);
        report(s, b, c);
        if (!b->stored)
            c->attempt.better = (uint8_t)label(s, c);
        bool wins = c->attempt.better == ELM_BETTER_YES;
        bool offered = c->evaluation.status == ELM_EVAL_OK &&
                       (wins || (s->problem->judge == ELM_JUDGE_SCORE && !s->noisy));
        if (!b->stored)
            c->attempt.outcome = ELM_OUTCOME_REJECTED;
        if (offered)
            ELM_TRY(admit(s, b, c, err));
    }
    if (!rematch && c->attempt.status != ELM_EVAL_FAULT)
        bandit_tell(&s->bandit, c->attempt.operator_index, c->attempt.better == ELM_BETTER_YES);
    keep_broken(s, b, c);
    count_attempt(s, c);
    return ELM_OK;
}

static struct elm_str stored_passes(const struct passes *p)
{
    return p->len == 0 ? (struct elm_str){0} : (struct elm_str){(const char *)p->bits, p->len};
}

static enum elm_status append(struct elm_search *s, struct batch *b, struct elm_error *err)
{
    struct elm_attempt *rows = elm_malloc((b->count + 1) * sizeof(*rows));
    for (uint32_t i = 0; i < b->count; i++) {
        const struct candidate *c = &b->items[i];
        rows[i] = c->attempt;
        rows[i].edit = (struct elm_str){b->edits.ptr + c->edit_at, c->edit_len};
        if (c->text_len == 0)
            continue;
        rows[i].text = (struct elm_str){b->texts.ptr + c->text_at, c->text_len};
        rows[i].passes = stored_passes(&c->passes);
    }
    enum elm_status status = elm_store_append(s->store, rows, b->count, err);
    free(rows);
    return status;
}

enum elm_status search_tell(struct elm_search *s, struct batch *b, struct elm_error *err)
{
    ELM_ASSERT(b->number == s->next_tell);
    for (uint32_t i = 0; i < b->count; i++)
        ELM_TRY(tell_one(s, b, &b->items[i], err));
    tend(s);
    if (s->store != NULL && !b->stored)
        ELM_TRY(append(s, b, err));
    search_changed(s, (struct elm_change){.kind = ELM_CHANGE_BATCH, .id = -1, .parent = -1,
                                          .evicted = -1});
    s->stats.batches++;
    s->next_tell++;
    return ELM_OK;
}

enum elm_status search_tell_seed(struct elm_search *s, const struct elm_evaluation *e,
                                 const struct passes *passes, bool stored, struct elm_error *err)
{
    struct elm_tree tree = {0};
    uint64_t hash;
    const struct elm_problem *p = s->problem;
    if (p->seed.count > 0) {
        tree = elm_tree_copy(&p->seed);
        hash = search_hash(s, &tree);
    } else {
        hash = elm_hash(p->seed_text, strlen(p->seed_text), 0);
        hash = hash == 0 ? 1 : hash;
    }
    seen_add(&s->seen, hash);
    s->seed_fitness = e->fitness;
    s->archive = s->archive_kind->make(p, e->fitness);
    struct elm_entrant x = {.parent = -1, .nodes = tree.count, .evaluation = e};
    s->archive_kind->add(s->archive, &x);
    struct elm_evaluation kept = remembered(e);
    struct held *h = held_new(&s->held, 0, &tree, elm_str(p->seed_text), p->names, &kept);
    h->passes = *passes;
    if (h->tree.count > 0)
        elm_pool_add(s->pool, &h->tree);
    search_changed(s, (struct elm_change){.kind = ELM_CHANGE_ADDED, .id = 0, .parent = -1,
                                          .evicted = -1, .nodes = h->tree.count});
    tend(s);
    s->next_attempt = 1;
    s->next_ask = s->next_tell = 1;
    if (s->store == NULL || stored)
        return ELM_OK;
    struct elm_attempt a = {.operator_index = 255, .status = ELM_EVAL_OK,
                            .outcome = ELM_OUTCOME_NEW, .parents = {-1, -1}, .hash = hash,
                            .fitness = e->fitness, .measure_count = p->measure_count,
                            .steps = e->steps, .opponent = -1, .text = elm_str(p->seed_text),
                            .passes = stored_passes(passes)};
    memcpy(a.measures, e->measures, sizeof(a.measures));
    return elm_store_append(s->store, &a, 1, err);
}
