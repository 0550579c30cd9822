/* coevolve_search: the turn of one problem, and what goes from problem to problem. */
#include "learn/coevolve.h"
#include "sandbox/judge_formula.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TURN 512                 /* evaluations of a problem's turn */
#define ATTEMPTS (8 * TURN)      /* of a turn, at most: most may be seen before */
#define SEEN 16384               /* slots, more than twice what a turn puts there */

static const double shares[COEVOLVE_OPERATORS] = {0.8, 0.2};

/* ---- programs ---- */

bool coevolve_outputs(struct elm_coevolve *c, const struct elm_tree *t, enum coevolve_set set,
                      uint64_t most, int32_t *out, uint64_t *steps)
{
    const struct elm_io *io = &c->problem.io;
    uint8_t bytes[8];
    ELM_ASSERT(io->out_bytes == sizeof(bytes));
    elm_buf_clear(&c->code);
    *steps = 0;
    if (elm_vm_compile(t, c->problem.names, io, &c->code, NULL) != ELM_OK)
        return false;
    for (uint32_t i = 0; i < COEVOLVE_CASES; i++) {
        uint64_t used;
        if (elm_vm_run(c->code.ptr, c->vm, c->in[set] + (size_t)i * io->in_bytes, bytes, most,
                       &used) != ELM_VM_OK)
            return false;
        memcpy(&out[i], bytes, sizeof(out[i]));
        *steps += used;
    }
    return true;
}

uint64_t coevolve_outputs_hash(const int32_t *out)
{
    uint64_t hash = elm_hash(out, COEVOLVE_CASES * sizeof(out[0]), 0);
    return hash + (hash == 0);
}

double coevolve_score(const int32_t *want, const int32_t *out, uint32_t *passed)
{
    double sum = 0;
    uint32_t right = 0;
    for (uint32_t i = 0; i < COEVOLVE_CASES; i++) {
        uint8_t a[4], b[4];
        if (want[i] == out[i]) {
            right++;
            continue;
        }
        memcpy(a, &want[i], 4);
        memcpy(b, &out[i], 4);
        sum += FORMULA_WRONG * formula_number(0, a, b);
    }
    if (passed != NULL)
        *passed = right;
    return (right + sum) / COEVOLVE_CASES;
}

struct coevolve_held *coevolve_hold(struct elm_coevolve *c, int64_t id, struct elm_tree tree)
{
    struct coevolve_held *h = elm_malloc(sizeof(*h));
    *h = (struct coevolve_held){.id = id, .tree = tree, .refs = 1};
    if (!coevolve_outputs(c, &tree, COEVOLVE_SCORED, COEVOLVE_FUEL, h->out, &h->steps)) {
        coevolve_drop(h);
        return NULL;
    }
    h->hash = elm_tree_hash(&tree);
    h->editable = elm_malloc(tree.count / 8 + 1);
    h->editable_count = elm_tree_editable(&tree, c->problem.names, h->editable);
    return h;
}

/* ---- archives ---- */

static void note_solved(struct elm_coevolve *c, struct coevolve_problem *p,
                        const struct coevolve_held *h)
{
    int32_t out[COEVOLVE_CASES];
    uint64_t steps;
    uint32_t passed;
    if (!coevolve_outputs(c, &h->tree, COEVOLVE_AUDIT, COEVOLVE_FUEL, out, &steps))
        return;
    coevolve_score(p->want[COEVOLVE_AUDIT], out, &passed);
    if (passed < COEVOLVE_CASES)
        return;
    p->solved = c->evaluations > 0 ? c->evaluations : 1;
    elm_tree_print(&h->tree, c->problem.names, &p->solver);
}

/* Did the archive take it, and in whose place? The caller tells the rest of the world. */
static bool offer(struct elm_coevolve *c, uint32_t group, struct coevolve_held *h, int64_t parent,
                  int64_t *evicted)
{
    struct coevolve_group *g = &c->groups[group];
    struct coevolve_problem *p = &c->problems[g->problem];
    uint32_t passed;
    struct elm_evaluation e = {.status = ELM_EVAL_OK, .in_vm = true, .cases = COEVOLVE_CASES,
                               .steps = h->steps,
                               .measures = {h->tree.count, log2((double)h->steps + 1)}};
    e.fitness = coevolve_score(p->want[COEVOLVE_SCORED], h->out, &passed);
    e.passed = (uint16_t)passed;
    struct elm_entrant x = {.id = h->id, .parent = parent, .nodes = h->tree.count,
                            .evaluation = &e};
    struct elm_add_result r = c->kind->add(g->archive, &x);
    if (passed == COEVOLVE_CASES && p->solved == 0)
        note_solved(c, p, h);
    if (r.outcome < ELM_OUTCOME_IMPROVED)
        return false;
    h->refs++;
    coevolve_drop(g->held[r.niche]);
    g->held[r.niche] = h;
    *evicted = r.evicted;
    return true;
}

void coevolve_add(struct elm_coevolve *c, uint32_t group, struct coevolve_held *h, int64_t parent)
{
    int64_t evicted;
    if (!offer(c, group, h, parent, &evicted))
        return;
    uint64_t outputs = coevolve_outputs_hash(h->out);
    coevolve_keep(c, outputs);
    if (c->pool != NULL)
        elm_pool_add(c->pool, &h->tree);
    coevolve_emit(c, &(struct elm_change){.kind = ELM_CHANGE_ADDED, .evaluations = c->evaluations,
                                          .id = h->id, .parent = parent, .evicted = evicted,
                                          .nodes = h->tree.count, .group = group}, outputs);
}

void coevolve_copy(struct elm_coevolve *c, uint32_t group, struct coevolve_held *h)
{
    int64_t evicted;
    if (!offer(c, group, h, h->id, &evicted))
        return;
    struct elm_change change = {.kind = ELM_CHANGE_COPIED, .evaluations = c->evaluations,
                                .id = h->id, .parent = -1, .evicted = -1, .group = group};
    coevolve_emit(c, &change, 0);
    if (evicted < 0)
        return;
    change.kind = ELM_CHANGE_DROPPED;
    change.id = evicted;
    coevolve_emit(c, &change, 0);
}

/* Does h beat what its place there holds? Its niche is the same with every problem. */
static bool beats(const struct elm_coevolve *c, uint32_t group, uint32_t niche, double score)
{
    const struct coevolve_group *g = &c->groups[group];
    const struct coevolve_held *old = g->held[niche];
    const int32_t *want = c->problems[g->problem].want[COEVOLVE_SCORED];
    return old == NULL || score > coevolve_score(want, old->out, NULL);
}

void coevolve_transfer(struct elm_coevolve *c)
{
    for (uint32_t to = 0; to < c->def.problems; to++) {
        const int32_t *want = c->problems[c->groups[to].problem].want[COEVOLVE_SCORED];
        struct coevolve_held *best = NULL;
        double most = 0;
        for (uint32_t from = 0; from < c->def.problems; from++) {
            for (uint32_t i = 0; i < COEVOLVE_NICHES && from != to; i++) {
                struct coevolve_held *h = c->groups[from].held[i];
                double score = h != NULL ? coevolve_score(want, h->out, NULL) : 0;
                if (score > most && beats(c, to, i, score)) {
                    most = score;
                    best = h;
                }
            }
        }
        if (best != NULL)
            coevolve_copy(c, to, best);
    }
}

/* ---- a turn ---- */

/* True when it was seen in this turn; else it is from now on. */
static bool seen(struct elm_coevolve *c, uint64_t hash)
{
    hash += hash == 0;
    uint64_t at = hash % SEEN;
    while (c->seen[at] != 0 && c->seen[at] != hash)
        at = (at + 1) % SEEN;
    bool was = c->seen[at] == hash;
    c->seen[at] = hash;
    return was;
}

/* What a turn remembers is a function of the archive that it begins with, so that nothing of it needs
 * storing. */
static void begin_turn(struct elm_coevolve *c, const struct coevolve_group *g)
{
    if (c->seen == NULL)
        c->seen = elm_malloc(SEEN * sizeof(c->seen[0]));
    memset(c->seen, 0, SEEN * sizeof(c->seen[0]));
    elm_pool_free(c->pool);
    c->pool = elm_pool_new();
    for (uint32_t i = 0; i < COEVOLVE_NICHES; i++) {
        if (g->held[i] != NULL) {
            seen(c, g->held[i]->hash);
            elm_pool_add(c->pool, &g->held[i]->tree);
        }
    }
}

static uint32_t choose(struct elm_coevolve *c, const struct coevolve_group *g, struct elm_rng *rng,
                       struct elm_parent *parents)
{
    struct elm_selection from = {.kind = c->kind, .archive = g->archive,
                                 .count = c->kind->count(g->archive)};
    uint32_t indices[2], count = from.count > 1 ? 2 : 1;
    c->selector->select(&from, rng, count, indices);
    for (uint32_t i = 0; i < count; i++) {
        const struct coevolve_held *h = g->held[c->kind->at(g->archive, indices[i])->niche];
        parents[i] = (struct elm_parent){.id = h->id, .tree = &h->tree, .editable = h->editable,
                                         .editable_count = h->editable_count};
    }
    return count;
}

/* The child that edits make, if it may be one. */
static bool make_child(struct elm_coevolve *c, const struct elm_tree *parent,
                       const struct elm_edit *edits, uint32_t edit_count, struct elm_tree *child)
{
    uint32_t put = 0;
    for (uint32_t i = 0; i < edit_count; i++)
        put += edits[i].put_count;
    if (put > c->problem.edit_nodes_max ||
        elm_tree_edit(parent, edits, edit_count, child, NULL) != ELM_OK)
        return false;
    if (child->count <= c->problem.nodes_max &&
        elm_tree_check(child, c->problem.names, NULL) == ELM_OK && !seen(c, elm_tree_hash(child)))
        return true;
    elm_tree_release(child);
    return false;
}

static enum elm_status attempt(struct elm_coevolve *c, uint32_t group, struct elm_error *err)
{
    struct coevolve_group *g = &c->groups[group];
    int64_t id = (int64_t)++c->attempts;
    struct elm_rng rng = elm_rng(c->def.seed, c->attempts);
    uint32_t op = 0;
    for (double x = elm_rng_unit(&rng); op + 1 < COEVOLVE_OPERATORS && x >= shares[op]; op++)
        x -= shares[op];
    struct elm_parent parents[2];
    struct elm_parents chosen = {parents, choose(c, g, &rng, parents)};
    struct elm_operator_context context = {.problem = &c->problem, .evidence = &c->evidence,
                                           .pool = c->pool, .vm = c->vm, .arena = &c->arena};
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t edit_count = 0;
    struct elm_error why = {0};
    struct elm_tree child;
    elm_arena_clear(&c->arena);
    enum elm_status status = c->operators[op]->mutate(c->selves[op], &context, &chosen, &rng, edits,
                                                      &edit_count, &why);
    if (status == ELM_NOT_FOUND || status == ELM_RANGE)
        return ELM_OK;
    if (status != ELM_OK)
        return elm_fail(err, status, "operator '%s': %.400s", c->operators[op]->name, why.message);
    if (!make_child(c, parents[0].tree, edits, edit_count, &child))
        return ELM_OK;
    c->evaluations++;
    struct coevolve_held *h = coevolve_hold(c, id, child);
    if (h != NULL)
        coevolve_add(c, group, h, parents[0].id);
    coevolve_drop(h);
    return ELM_OK;
}

enum elm_status coevolve_search(struct elm_coevolve *c, uint32_t group, struct elm_error *err)
{
    uint64_t until = c->evaluations + TURN, last = c->attempts + ATTEMPTS;
    begin_turn(c, &c->groups[group]);
    while (c->evaluations < until && c->attempts < last)
        ELM_TRY(attempt(c, group, err));
    return ELM_OK;
}
