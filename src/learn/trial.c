/*
 * trial: a whole search over one task, in this thread: choose parents, mutate, evaluate in the VM,
 * keep.
 */
#include "learn/learn.h"

#include "elm/archive.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BARREN 1000              /* attempts in a row without an evaluation before giving up */

struct held {
    int64_t id;
    struct elm_tree tree;
    uint8_t *editable;
    uint32_t editable_count, refs;
    struct elm_evaluation evaluation;
    struct held *next;
};

struct runner {
    const struct elm_trial_def *def;
    const struct elm_task *task;
    struct elm_trial *result;
    const struct elm_operator_kind *operators[ELM_TRIAL_ARMS_MAX];
    void *selves[ELM_TRIAL_ARMS_MAX];
    double chance[ELM_TRIAL_ARMS_MAX];         /* of being drawn: shares are of the attempts */
    double chances;              /* sum */
    struct task_slots slots;
    struct elm_vm_memory *vm;
    struct elm_pool *pool;
    struct elm_arena arena;
    struct elm_buf code;
    uint8_t *out;
    uint64_t *seen;              /* open addressing, 0: empty */
    uint64_t seen_mask, seen_count;
    const struct elm_archive_kind *kind;
    const struct elm_selector_kind *selector;
    void *archive;
    uint32_t group;              /* of it, that the parents were drawn from */
    struct held *kept;           /* all programs in the archive */
    struct elm_error *err;
};

/* ---- programs ---- */

static struct held *hold(struct runner *r, int64_t id, struct elm_tree tree,
                         const struct elm_evaluation *e)
{
    struct held *h = elm_malloc(sizeof(*h));
    *h = (struct held){.id = id, .tree = tree, .refs = 1, .evaluation = *e,
                       .editable = elm_malloc(tree.count / 8 + 1)};
    h->editable_count = elm_tree_editable(&tree, r->task->problem.names, h->editable);
    return h;
}

static void drop(struct held *h)
{
    if (h == NULL || --h->refs > 0)
        return;
    elm_tree_release(&h->tree);
    free(h->editable);
    free(h);
}

static void grow_seen(struct runner *r)
{
    uint64_t slots = (r->seen_mask + 1) * 2, *old = r->seen;
    r->seen = elm_calloc(slots, sizeof(r->seen[0]));
    for (uint64_t i = 0; i <= r->seen_mask; i++) {
        uint64_t at = old[i] & (slots - 1);
        while (old[i] != 0 && r->seen[at] != 0)
            at = (at + 1) & (slots - 1);
        if (old[i] != 0)
            r->seen[at] = old[i];
    }
    r->seen_mask = slots - 1;
    free(old);
}

/* True when it was seen before; else it is from now on. */
static bool seen(struct runner *r, uint64_t hash)
{
    hash += hash == 0;
    if (r->seen_count * 2 > r->seen_mask)
        grow_seen(r);
    uint64_t at = hash & r->seen_mask;
    while (r->seen[at] != 0 && r->seen[at] != hash)
        at = (at + 1) & r->seen_mask;
    if (r->seen[at] == hash)
        return true;
    r->seen[at] = hash;
    r->seen_count++;
    return false;
}

/* ---- evaluation ---- */

/* Runs the compiled program on a set. False: it failed on a case. */
static bool run_set(struct runner *r, enum elm_set set, struct elm_evaluation *e)
{
    const struct elm_task *t = r->task;
    const struct elm_io *io = &t->problem.io;
    const uint8_t *in = t->in[set], *want = t->want[set];
    uint64_t steps;
    double sum = 0;
    uint32_t n = t->case_count[set];
    e->passed = 0;
    e->cases = (uint16_t)n;
    for (uint32_t c = 0; c < n; c++, in += io->in_bytes, want += io->out_bytes) {
        if (elm_vm_run(r->code.ptr, r->vm, in, r->out, t->problem.fuel, &steps) != ELM_VM_OK ||
            !task_finite(&r->slots, r->out))
            return false;
        double worth = formula_case(r->slots.out, r->slots.out_count, want, r->out);
        bool pass = worth >= 1;
        sum += worth;
        e->passed += pass;
        e->steps += steps;
        e->signature = elm_hash(r->out, io->out_bytes, e->signature);
    }
    e->fitness = n > 0 ? sum / n : 0;
    return true;
}

static bool passes_all(struct runner *r, enum elm_set set)
{
    struct elm_evaluation e = {0};
    return r->task->case_count[set] == 0 || (run_set(r, set, &e) && e.passed == e.cases);
}

static bool evaluate(struct runner *r, const struct elm_tree *t, struct elm_evaluation *e)
{
    const struct elm_problem *p = &r->task->problem;
    enum elm_set set = r->task->case_count[ELM_SET_SCORED] > 0 ? ELM_SET_SCORED : ELM_SET_SHOWN;
    *e = (struct elm_evaluation){.status = ELM_EVAL_OK, .in_vm = true};
    elm_buf_clear(&r->code);
    return elm_vm_compile(t, p->names, &p->io, &r->code, NULL) == ELM_OK && run_set(r, set, e);
}

/* ---- the archive ---- */

static void keep(struct runner *r, struct held *h, int64_t parent)
{
    struct elm_entrant x = {.id = h->id, .parent = parent, .group = r->group, .nodes = h->tree.count,
                            .evaluation = &h->evaluation};
    struct elm_add_result added = r->kind->add(r->archive, &x);
    if (added.outcome < ELM_OUTCOME_IMPROVED) {
        drop(h);
        return;
    }
    for (struct held **at = &r->kept; *at != NULL && added.evicted >= 0; at = &(*at)->next) {
        if ((*at)->id == added.evicted) {
            struct held *gone = *at;
            *at = gone->next;
            drop(gone);
            break;
        }
    }
    h->next = r->kept;
    r->kept = h;
    elm_pool_add(r->pool, &h->tree);
}

static struct held *find(struct runner *r, int64_t id)
{
    struct held *h = r->kept;
    while (h != NULL && h->id != id)
        h = h->next;
    ELM_ASSERT(h != NULL);
    return h;
}

/* Parents of `members` children. */
static uint32_t choose(struct runner *r, struct elm_rng *rng, uint32_t members,
                       struct elm_parent parents[2], struct held *out[2])
{
    struct elm_selection from = {.kind = r->kind, .archive = r->archive,
                                 .count = r->kind->count(r->archive)};
    uint32_t indices[2];
    if (r->kind->group != NULL)
        r->group = r->kind->group(r->archive, rng, &from.first, &from.count);
    uint32_t count = from.count > 1 ? 2 : 1;
    r->selector->select(&from, rng, count, indices);
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_elite *elite = r->kind->at(r->archive, indices[i]);
        struct held *h = find(r, elite->id);
        parents[i] = (struct elm_parent){.id = h->id, .tree = &h->tree, .editable = h->editable,
                                         .editable_count = h->editable_count,
                                         .evaluation = &h->evaluation, .asked = elite->asked};
        h->refs++;
        out[i] = h;
    }
    r->kind->at(r->archive, indices[0])->asked += members;
    return count;
}

/* ---- attempts ---- */

/* An evaluated child: kept or dropped. True when it ends the trial. */
static bool tell(struct runner *r, struct elm_tree child, const struct elm_evaluation *e,
                 const struct held *parent)
{
    struct elm_trial *t = r->result;
    t->better += e->fitness > parent->evaluation.fitness;
    if (e->fitness > t->best) {
        t->best = e->fitness;
        elm_tree_release(&t->program);
        t->program = elm_tree_copy(&child);
    }
    if (e->passed == e->cases && passes_all(r, ELM_SET_SHOWN)) {
        t->solved_at = t->evaluations;
        t->solved = passes_all(r, ELM_SET_AUDIT);
        elm_tree_release(&t->program);
        t->program = child;
        return true;
    }
    keep(r, hold(r, t->attempts, child, e), parent->id);
    return false;
}

static bool is_new(struct runner *r, struct elm_tree *child)
{
    const struct elm_problem *p = &r->task->problem;
    return child->count <= p->nodes_max && elm_tree_check(child, p->names, NULL) == ELM_OK &&
           !seen(r, elm_tree_hash(child));
}

/* Applies the edits and evaluates a child not seen before. *evaluated: there was one. */
static bool try_child(struct runner *r, const struct held *parent, const struct elm_edit *edits,
                      uint32_t edit_count, bool *evaluated)
{
    struct elm_tree child;
    struct elm_evaluation e;
    uint32_t put = 0;
    for (uint32_t i = 0; i < edit_count; i++)
        put += edits[i].put_count;
    if (put > r->task->problem.edit_nodes_max ||
        elm_tree_edit(&parent->tree, edits, edit_count, &child, NULL) != ELM_OK)
        return false;
    if (!is_new(r, &child)) {
        elm_tree_release(&child);
        return false;
    }
    *evaluated = true;
    r->result->distinct++;
    r->result->evaluations++;
    bool over = false;
    if (evaluate(r, &child, &e))
        over = tell(r, child, &e, parent);
    else
        elm_tree_release(&child);
    const struct elm_trial_def *d = r->def;
    bool more = d->told == NULL || d->told(d->told_ctx, r->result->evaluations, r->result->best);
    return over || !more;
}

static uint32_t draw_arm(const struct runner *r, struct elm_rng *rng)
{
    double x = elm_rng_unit(rng) * r->chances;
    uint32_t arm = 0;
    while (arm + 1 < r->def->arm_count && x >= r->chance[arm])
        x -= r->chance[arm++];
    return arm;
}

static uint32_t members_of(const struct elm_operator_kind *op)
{
    return op->group > 1 ? op->group : 1;
}

/* A broken operator is an error; one that finds nothing to do is not. */
static bool is_barren(enum elm_status status)
{
    return status == ELM_NOT_FOUND || status == ELM_PARSE || status == ELM_RANGE;
}

/* The attempts of one draw: one, or the group of a kind that makes its children together. Adds what
 * was evaluated to *evaluated; *over: the trial has ended. */
static enum elm_status draw(struct runner *r, bool *evaluated, bool *over)
{
    struct elm_trial *t = r->result;
    struct elm_rng rng = elm_rng(r->def->seed, t->attempts + UINT64_C(1));
    struct held *two[2] = {NULL, NULL};
    struct elm_parent parents[2];
    uint32_t arm = draw_arm(r, &rng);
    const struct elm_operator_kind *op = r->operators[arm];
    uint32_t members = members_of(op);
    uint32_t count = choose(r, &rng, members, parents, two);
    struct elm_operator_context context = {
        .problem = &r->task->problem, .pool = r->pool,
        .evidence = r->def->opaque == ELM_OPAQUE_ALL ? NULL : &r->task->evidence,
        .vm = r->def->opaque != ELM_OPAQUE_NO ? NULL : r->vm, .arena = &r->arena, .model = r->def->model,
        .group = elm_rng_u64(&rng),
    };
    struct elm_parents chosen = {parents, count};
    enum elm_status status = ELM_OK;
    for (uint32_t m = 0; m < members && !*over && t->evaluations < r->def->evaluations; m++) {
        struct elm_edit edits[ELM_EDITS_MAX];
        uint32_t edit_count = 0;
        struct elm_error why = {0};
        if (m > 0)
            rng = elm_rng(r->def->seed, t->attempts + UINT64_C(1));
        t->attempts++;
        context.member = m;
        elm_arena_clear(&r->arena);
        status = op->mutate(r->selves[arm], &context, &chosen, &rng, edits, &edit_count, &why);
        if (status == ELM_OK)
            *over = try_child(r, two[0], edits, edit_count, evaluated);
        else if (!is_barren(status)) {
            status = elm_fail(r->err, status, "operator '%s': %.400s", op->name, why.message);
            break;
        }
        status = ELM_OK;
    }
    drop(two[0]);
    drop(two[1]);
    return status;
}

/* ---- from start to end ---- */

static enum elm_status open_arms(struct runner *r)
{
    const struct elm_problem *p = &r->task->problem;
    if (r->def->arm_count < 1 || r->def->arm_count > ELM_TRIAL_ARMS_MAX)
        return elm_fail(r->err, ELM_USAGE, "%u arms: 1 to %d are allowed", r->def->arm_count,
                        ELM_TRIAL_ARMS_MAX);
    for (uint32_t i = 0; i < r->def->arm_count; i++) {
        const struct elm_trial_arm *arm = &r->def->arms[i];
        const struct elm_operator_kind *op = elm_operator_find(arm->operator);
        const char *why = "";
        if (op == NULL || op->mutate == NULL)
            return elm_fail(r->err, ELM_USAGE, "'%s' is no operator on trees: `elm list operator`",
                            arm->operator);
        if (!(arm->share > 0))
            return elm_fail(r->err, ELM_USAGE, "operator '%s' needs a share above 0", op->name);
        if (!elm_operator_applies(op, p, &r->task->evidence, r->def->model, &why))
            return elm_fail(r->err, ELM_USAGE, "operator '%s' can do nothing for '%s': %s", op->name,
                            p->name, why);
        if (r->def->opaque && op->traces)
            return elm_fail(r->err, ELM_USAGE, "operator '%s' needs traces, and the evaluator is opaque",
                            op->name);
        r->operators[i] = op;
        r->selves[i] = op->make != NULL ? op->make(p) : NULL;
        r->chance[i] = arm->share / members_of(op);
        r->chances += r->chance[i];
    }
    return ELM_OK;
}

static enum elm_status open_archive(struct runner *r)
{
    const struct elm_trial_def *def = r->def;
    const char *selector = def->selector != NULL ? def->selector : "uniform";
    r->kind = elm_archive_find(def->archive != NULL ? def->archive : "rooted");
    r->selector = elm_selector_find(selector);
    if (r->kind == NULL)
        return elm_fail(r->err, ELM_USAGE, "there is no archive '%s': `elm list archive`",
                        def->archive);
    if (r->selector == NULL || r->selector->needs_cases)
        return elm_fail(r->err, ELM_USAGE, "'%s' is no selector for a trial: `elm list selector`; "
                        "one that looks at cases can't be used", selector);
    if (r->kind->needs_measures || r->kind->tend != NULL)
        return elm_fail(r->err, ELM_USAGE, "archive '%s' is none for a trial: it needs measures or "
                        "moves programs", def->archive);
    r->archive = r->kind->make(&r->task->problem, 0);
    return ELM_OK;
}

static enum elm_status put_seed(struct runner *r, bool *right)
{
    struct elm_evaluation e;
    const struct elm_tree *seed = &r->task->problem.seed;
    if (!evaluate(r, seed, &e))
        return elm_fail(r->err, ELM_USAGE, "the seed of '%s' fails on a case",
                        r->task->problem.name);
    *right = e.passed == e.cases && passes_all(r, ELM_SET_SHOWN);
    r->result->solved = *right && passes_all(r, ELM_SET_AUDIT);
    seen(r, elm_tree_hash(seed));
    r->result->best = e.fitness;
    r->result->program = elm_tree_copy(seed);
    keep(r, hold(r, 0, elm_tree_copy(seed), &e), -1);
    return ELM_OK;
}

static void close_runner(struct runner *r)
{
    for (uint32_t i = 0; i < ELM_TRIAL_ARMS_MAX; i++) {
        if (r->operators[i] != NULL && r->operators[i]->free != NULL)
            r->operators[i]->free(r->selves[i]);
    }
    while (r->kept != NULL) {
        struct held *h = r->kept;
        r->kept = h->next;
        drop(h);
    }
    if (r->archive != NULL)
        r->kind->free(r->archive);
    elm_pool_free(r->pool);
    elm_arena_release(&r->arena);
    elm_buf_release(&r->code);
    elm_vm_memory_free(r->vm);
    free(r->out);
    free(r->seen);
}

static int64_t thread_cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

enum elm_status elm_trial_run(const struct elm_trial_def *def, struct elm_trial *out,
                              struct elm_error *err)
{
    struct elm_trial result = {0};
    struct runner r = {.def = def, .task = def->task, .result = &result, .err = err,
                       .seen = elm_calloc(1024, sizeof(r.seen[0])), .seen_mask = 1023};
    int64_t start = thread_cpu_us();
    r.vm = elm_vm_memory_new();
    r.pool = elm_pool_new();
    r.out = elm_malloc(def->task->problem.io.out_bytes);
    task_slots(&def->task->problem, &r.slots);
    enum elm_status status = open_archive(&r);
    if (status == ELM_OK)
        status = open_arms(&r);
    bool over = false;
    if (status == ELM_OK)
        status = put_seed(&r, &over);
    uint32_t last = 0;
    while (status == ELM_OK && !over && result.evaluations < def->evaluations &&
           result.attempts - last < BARREN) {
        bool evaluated = false;
        status = draw(&r, &evaluated, &over);
        last = evaluated ? result.attempts : last;
    }
    close_runner(&r);
    result.cpu_us = thread_cpu_us() - start;
    if (status != ELM_OK) {
        elm_tree_release(&result.program);
        return status;
    }
    *out = result;
    return ELM_OK;
}
