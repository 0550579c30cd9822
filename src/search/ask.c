/*
 * ask: parents = select(archive); child = mutate(parents). Everything here is a function of the
 * state after the tells of batches <= this one - ELM_SEARCH_LAG, and of attempt ids.
 */
#include "search/state.h"

#include <stdio.h>
#include <string.h>

/* Attempts spent on one place of a batch before it is left empty. */
#define TRIES 16
/* Where one evaluation takes as long as thousands elsewhere, outcomes come in small batches. */
#define COMMAND_BATCH 4

uint32_t ask_batch_size(const struct elm_search *s)
{
    return s->problem->judge == ELM_JUDGE_COMMAND ? COMMAND_BATCH : ELM_SEARCH_BATCH;
}

struct candidate *ask_attempt(struct elm_search *s, struct batch *b)
{
    struct candidate *c = batch_add(b);
    c->attempt.id = s->next_attempt++;
    return c;
}

void ask_reject(struct candidate *c, enum elm_eval_status status, const char *why)
{
    c->attempt.status = (uint8_t)status;
    snprintf(c->attempt.why, sizeof(c->attempt.why), "%.47s", why);
}

static void ask_rematches(struct elm_search *s, struct batch *b)
{
    uint32_t most = ask_batch_size(s), n = s->rematch_count < most ? s->rematch_count : most;
    for (uint32_t i = 0; i < n; i++) {
        struct candidate *c = ask_attempt(s, b);
        c->attempt.flags = (uint8_t)(ELM_ATTEMPT_REMATCH |
                                     s->rematches[i].met << ELM_ATTEMPT_MET_SHIFT);
        c->attempt.operator_index = 255;
        c->again = s->rematches[i].child;
        c->opponent = s->rematches[i].opponent;
        c->attempt.parents[0] = c->again->id;
        c->attempt.opponent = c->opponent->id;
        c->evaluate = true;
    }
    s->rematch_count -= n;
    if (n > 0)
        memmove(s->rematches, s->rematches + n, s->rematch_count * sizeof(s->rematches[0]));
}

/* What choosing a parent does to its elite, in every place that it has. */
void ask_count(struct elm_search *s, int64_t id)
{
    uint32_t elites = s->archive_kind->count(s->archive);
    for (uint32_t k = 0; k < elites; k++) {
        struct elm_elite *elite = s->archive_kind->at(s->archive, k);
        elite->asked += elite->id == id;
    }
}

/* The parents of one attempt, as the operator sees them. Returns the first one's program. */
struct held *ask_parents(struct elm_search *s, struct candidate *c, struct elm_rng *rng,
                         uint32_t wanted, struct elm_parent parents[2], uint32_t *count)
{
    const struct elm_archive_kind *kind = s->archive_kind;
    struct elm_selection from = {.kind = kind, .archive = s->archive,
                                 .count = kind->count(s->archive),
                                 .cases = cases_of_archive(s)};
    uint32_t indices[2], group = 0;
    if (kind->group != NULL)
        group = kind->group(s->archive, rng, &from.first, &from.count);
    ELM_ASSERT(group < ELM_GROUPS_MAX);
    c->attempt.flags |= (uint8_t)(group << ELM_ATTEMPT_GROUP_SHIFT);
    *count = wanted > 1 || from.count > 1 ? 2 : 1;
    s->selector_kind->select(&from, rng, *count, indices);
    struct held *first = NULL;
    for (uint32_t i = 0; i < *count; i++) {
        struct elm_elite *elite = kind->at(s->archive, indices[i]);
        struct held *h = held_find(&s->held, elite->id);
        ELM_ASSERT(h != NULL);
        parents[i] = (struct elm_parent){
            .id = h->id,
            .tree = h->tree.count > 0 ? &h->tree : NULL,
            .text = elm_buf_str(&h->text),
            .editable = h->editable,
            .editable_count = h->editable_count,
            .evaluation = &h->evaluation,
            .asked = elite->asked,
        };
        if (i == 0)
            first = h;
    }
    /* a model may have written a program that is no core C tree */
    if (*count > 1 && (parents[0].tree == NULL) != (parents[1].tree == NULL))
        *count = 1;
    if (kind->group != NULL)
        ask_count(s, first->id);
    else
        kind->at(s->archive, indices[0])->asked++;
    return first;
}

struct elm_operator_context ask_context(struct elm_search *s)
{
    elm_arena_clear(&s->arena);
    return (struct elm_operator_context){.problem = s->problem, .evidence = &s->evidence,
                                         .pool = s->pool, .vm = s->vm, .arena = &s->arena,
                                         .prompts_folder = s->def.prompts_folder,
                                         .model = s->def.operator_model};
}

static uint32_t edit_nodes(const struct elm_edit *edits, uint32_t count)
{
    uint32_t nodes = 0;
    for (uint32_t i = 0; i < count; i++)
        nodes += edits[i].put_count;
    return nodes;
}

uint64_t search_hash(const struct elm_search *s, const struct elm_tree *t)
{
    const struct elm_node *kid = t->nodes + 1;
    struct elm_str entry = elm_str(s->problem->io.entry);
    uint32_t place = 0;
    for (uint16_t i = 0; i < t->nodes[0].kids; i++, kid += kid->size) {
        if (kid->kind != ELM_NODE_FUNCTION)
            continue;
        if (elm_str_equal(elm_names_text(s->problem->names, kid->name), entry))
            break;
        place++;
    }
    uint64_t hash = elm_hash_mix(elm_tree_hash(t), place);
    return hash == 0 ? 1 : hash;
}

/* A tree that the operator made: is it worth an evaluation? */
static void judge_tree(struct elm_search *s, struct candidate *c)
{
    uint64_t hash = search_hash(s, &c->tree);
    if (c->parent->tree.count > 0 && hash == search_hash(s, &c->parent->tree)) {
        ask_reject(c, ELM_EVAL_NO_CHANGE, "");
    } else if (!seen_add(&s->seen, hash)) {
        ask_reject(c, ELM_EVAL_DUPLICATE, "");
    } else {
        c->attempt.hash = hash;
        c->evaluate = true;
        if (held_reintroduces(c->parent, &c->tree))
            c->attempt.flags |= ELM_ATTEMPT_REINTRODUCED;
    }
}

static bool is_named(uint8_t kind)
{
    return (kind >= ELM_NODE_FUNCTION && kind <= ELM_NODE_TEXT) || kind == ELM_NODE_DECLARE ||
           kind == ELM_NODE_VAR || kind == ELM_NODE_INDEX || kind == ELM_NODE_CALL;
}

/* Ids of names that came up in this run mean nothing to the next process. */
static bool names_are_stable(const struct elm_search *s, const struct elm_edit *edits,
                             uint32_t edit_count)
{
    for (uint32_t i = 0; i < edit_count; i++) {
        for (uint32_t k = 0; k < edits[i].put_count; k++) {
            const struct elm_node *n = &edits[i].put[k];
            if (is_named(n->kind) && n->name >= s->stable_names)
                return false;
        }
    }
    return true;
}

static void judge_edits(struct elm_search *s, struct candidate *c, const struct elm_edit *edits,
                        uint32_t edit_count)
{
    struct elm_error why = {0};
    if (edit_nodes(edits, edit_count) > s->problem->edit_nodes_max)
        ask_reject(c, ELM_EVAL_TOO_LARGE, "edit beyond limits.edit_nodes");
    else if (elm_tree_edit(&c->parent->tree, edits, edit_count, &c->tree, &why) != ELM_OK)
        ask_reject(c, ELM_EVAL_TOO_LARGE, why.message);
    else if (c->tree.count > s->problem->nodes_max)
        ask_reject(c, ELM_EVAL_TOO_LARGE, "program beyond limits.nodes");
    else if (elm_tree_check(&c->tree, s->problem->names, &why) != ELM_OK)
        ask_reject(c, ELM_EVAL_BUILD_FAILED, why.message);
    else
        judge_tree(s, c);
}

/* Applies the edits, and says whether the child is worth an evaluation. */
void ask_edits(struct elm_search *s, struct batch *b, struct candidate *c,
               const struct elm_edit *edits, uint32_t edit_count)
{
    judge_edits(s, c, edits, edit_count);
    c->edit_at = b->edits.len;
    if (names_are_stable(s, edits, edit_count)) {
        elm_edits_encode(edits, edit_count, &b->edits);
    } else {
        c->attempt.flags |= ELM_ATTEMPT_TEXT;
        if (c->tree.count > 0)
            elm_tree_print(&c->tree, s->problem->names, &b->edits);
    }
    c->edit_len = b->edits.len - c->edit_at;
}

bool search_read_text(struct elm_search *s, struct elm_str text, struct elm_tree *tree,
                      struct elm_error *why)
{
    if (s->problem->seed.count == 0 || text.len > ELM_TEXT_BYTES_MAX)
        return false;
    if (elm_tree_parse(text, s->problem->names, tree, NULL) != ELM_OK)
        return false;
    if (elm_tree_check(tree, s->problem->names, why) == ELM_OK)
        return true;
    elm_tree_release(tree);
    *tree = (struct elm_tree){0};
    return false;
}

void ask_text(struct elm_search *s, struct batch *b, struct candidate *c, struct elm_str text)
{
    c->attempt.flags |= ELM_ATTEMPT_TEXT;
    c->edit_at = b->edits.len;
    c->edit_len = text.len;
    elm_buf_add_str(&b->edits, text);
    struct elm_error why = {0};
    if (search_read_text(s, text, &c->tree, &why)) {
        if (c->tree.count > s->problem->nodes_max)
            ask_reject(c, ELM_EVAL_TOO_LARGE, "program beyond limits.nodes");
        else
            judge_tree(s, c);
        return;
    }
    if (why.status == ELM_OUTSIDE) {
        ask_reject(c, ELM_EVAL_BUILD_FAILED, why.message);
        return;
    }
    uint64_t hash = elm_hash(text.ptr, text.len, 0);
    hash = hash == 0 ? 1 : hash;
    if (text.len > ELM_TEXT_BYTES_MAX) {
        ask_reject(c, ELM_EVAL_TOO_LARGE, "text beyond 256 KiB");
    } else if (elm_str_equal(text, elm_buf_str(&c->parent->text))) {
        ask_reject(c, ELM_EVAL_NO_CHANGE, "");
    } else if (!seen_add(&s->seen, hash)) {
        ask_reject(c, ELM_EVAL_DUPLICATE, "");
    } else {
        c->attempt.hash = hash;
        c->evaluate = true;
    }
}

/* What the attempts of one batch share that a kind makes together. */
struct together {
    struct elm_parent parents[2];
    uint32_t count;
    struct held *first;
    uint8_t flags;
    uint64_t group;
    uint32_t member;             /* of the next one; 0: none has been made */
};

/* Calls the operator; a stored failure is not an error, but a broken operator is. */
static enum elm_status mutate(struct elm_search *s, struct batch *b, struct candidate *c,
                              uint32_t arm, const struct together *of,
                              struct elm_rng *rng, struct elm_error *err)
{
    const struct elm_operator_kind *kind = s->operators[arm];
    struct elm_operator_context context = ask_context(s);
    const struct elm_parents *parents = &(struct elm_parents){of->parents, of->count};
    context.group = of->group;
    context.member = of->member;
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t edit_count = 0;
    struct elm_buf text = {0};
    bool is_tree = parents->parent[0].tree != NULL;
    enum elm_status status = ELM_NOT_FOUND;
    if (is_tree && kind->mutate != NULL) {
        status = kind->mutate(s->operator_self[arm], &context, parents, rng, edits, &edit_count,
                              err);
    } else if (!is_tree && kind->rewrite != NULL) {
        status = kind->rewrite(s->operator_self[arm], &context, parents, rng, &text, err);
    }
    if (status == ELM_NOT_FOUND) {
        ask_reject(c, ELM_EVAL_NO_CHANGE, "the operator found nothing to do");
        status = ELM_OK;
    } else if (status == ELM_OK && is_tree) {
        ask_edits(s, b, c, edits, edit_count);
    } else if (status == ELM_OK) {
        ask_text(s, b, c, elm_buf_str(&text));
    }
    elm_buf_release(&text);
    return status;
}

/* The parents of an attempt: its own, or those of the group that it belongs to. */
static void join(struct elm_search *s, struct candidate *c, uint32_t arm, struct elm_rng *rng,
                 struct together *of)
{
    uint32_t most = s->operators[arm]->group > 1 ? s->operators[arm]->group : 1;
    of->member = of->member + 1 < most && of->first != NULL ? of->member + 1 : 0;
    if (of->member > 0) {
        c->attempt.flags |= of->flags;
        ask_count(s, of->first->id);
        return;
    }
    of->first = ask_parents(s, c, rng, s->operators[arm]->parents_min, of->parents, &of->count);
    of->flags = c->attempt.flags;
    of->group = elm_hash_mix(s->def.seed, (uint64_t)c->attempt.id);
}

static enum elm_status ask_one(struct elm_search *s, struct batch *b, struct together *groups,
                               bool *found, struct elm_error *err)
{
    *found = false;
    for (int try = 0; try < TRIES && !*found; try++) {
        struct candidate *c = ask_attempt(s, b);
        struct elm_rng rng = elm_rng(s->def.seed, (uint64_t)c->attempt.id);
        uint32_t arm = bandit_draw(&s->bandit, 0, s->model_first, &rng);
        struct together *of = &groups[arm];
        bandit_count(&s->bandit, arm);
        join(s, c, arm, &rng, of);
        c->attempt.operator_index = (uint8_t)arm;
        c->attempt.parents[0] = of->parents[0].id;
        c->attempt.parents[1] = of->count > 1 ? of->parents[1].id : -1;
        c->parent = held_ref(of->first);
        if (s->problem->judge == ELM_JUDGE_COMPARE || s->noisy) {
            c->opponent = held_ref(of->first);
            c->attempt.opponent = of->first->id;
        }
        ELM_TRY(mutate(s, b, c, arm, of, &rng, err));
        *found = c->evaluate;
        if (!c->evaluate)
            elm_tree_release(&c->tree);
    }
    return ELM_OK;
}

enum elm_status search_ask(struct elm_search *s, struct batch *b, struct elm_error *err)
{
    b->number = s->next_ask;
    if (s->pending != NULL || consult_wanted(s, b->number))
        return consult_ask(s, b, err);
    ask_rematches(s, b);
    uint32_t found = b->count;
    struct together groups[ELM_OPERATORS_MAX] = {0};
    while (found < ask_batch_size(s)) {
        bool one;
        ELM_TRY(ask_one(s, b, groups, &one, err));
        if (!one)
            break;
        found++;
    }
    s->barren = found == 0 ? s->barren + 1 : 0;
    s->next_ask++;
    return ELM_OK;
}

static bool take_rematch(struct elm_search *s, struct candidate *c)
{
    /* the queue is in order of telling, and so are the stored rematches */
    if (s->rematch_count == 0 || s->rematches[0].child->id != c->attempt.parents[0])
        return false;
    c->again = s->rematches[0].child;
    c->opponent = s->rematches[0].opponent;
    s->rematch_count--;
    memmove(s->rematches, s->rematches + 1, s->rematch_count * sizeof(s->rematches[0]));
    return true;
}

enum elm_status search_ask_stored(struct elm_search *s, struct batch *b, struct elm_error *err)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        struct candidate *c = &b->items[i];
        s->next_attempt = c->attempt.id + 1;
        if (c->attempt.flags & ELM_ATTEMPT_REMATCH) {
            found++;
            if (take_rematch(s, c))
                continue;
            return elm_fail(err, ELM_CORRUPT, "attempt %lld is a rematch that nothing asked for",
                            (long long)c->attempt.id);
        }
        c->parent = held_ref(held_find(&s->held, c->attempt.parents[0]));
        if (c->parent == NULL || c->attempt.operator_index >= s->operator_count) {
            return elm_fail(err, ELM_CORRUPT, "attempt %lld has a parent or operator that the "
                            "run did not have then", (long long)c->attempt.id);
        }
        bandit_count(&s->bandit, c->attempt.operator_index);
        if (c->attempt.opponent >= 0)
            c->opponent = held_ref(c->parent);
        ask_count(s, c->attempt.parents[0]);
        if (c->attempt.hash != 0) {
            seen_add(&s->seen, c->attempt.hash);
            found++;
        }
    }
    s->barren = found == 0 ? s->barren + 1 : 0;
    s->next_ask++;
    return ELM_OK;
}
