/* coevolve_problem: where targets come from, and which of them become problems. */
#include "learn/coevolve.h"

#include <stdlib.h>
#include <string.h>

#define TARGET_STEPS 600         /* of a target on a case */
#define LARGE 1000000
#define FIRST_MIN 4              /* mutations of the root that make a target drawn anew */
#define FIRST_MAX 11
#define MUTATIONS_MAX 3          /* that make a target of another */
#define TRIES 64                 /* targets looked at for a new problem */
#define WALK_TRIES 1000          /* mutations looked at for one that changes what is computed */
#define DIFFERENT (COEVOLVE_CASES / 10 + 1)    /* cases in which problems differ */
#define CRITERION_MIN (COEVOLVE_CASES / 10 + 1)
#define CRITERION_MAX (COEVOLVE_CASES * 9 / 10)
#define STARTERS 8

enum { SALT_FIRST = 0xf1, SALT_BREED = 0xb4 };

/* Numbers of a size that programs can come near, and no one of them in most cases. */
static bool is_target(const int32_t *out)
{
    for (uint32_t i = 0; i < COEVOLVE_CASES; i++) {
        uint32_t same = 0;
        for (uint32_t k = 0; k < COEVOLVE_CASES; k++)
            same += out[k] == out[i];
        if (out[i] > LARGE || out[i] < -LARGE || same > COEVOLVE_CASES * 7 / 10)
            return false;
    }
    return true;
}

static uint32_t differing(const int32_t *a, const int32_t *b)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < COEVOLVE_CASES; i++)
        count += a[i] != b[i];
    return count;
}

static bool is_new(const struct elm_coevolve *c, const int32_t *out)
{
    for (uint32_t i = 0; i < c->problem_count; i++) {
        if (differing(c->problems[i].want[COEVOLVE_SCORED], out) < DIFFERENT)
            return false;
    }
    return true;
}

bool coevolve_add_problem(struct elm_coevolve *c, struct elm_tree target, uint32_t parent)
{
    struct coevolve_problem p = {.parent = parent, .made = c->evaluations, .target = target};
    uint64_t steps;
    for (int set = 0; set < COEVOLVE_SETS; set++) {
        if (!coevolve_outputs(c, &target, (enum coevolve_set)set, TARGET_STEPS, p.want[set], &steps)) {
            elm_tree_release(&target);
            return false;
        }
    }
    if (parent != ELM_COEVOLVE_PROBLEM_NONE)
        p.depth = c->problems[parent].depth + 1;
    elm_tree_print(&target, c->problem.names, &p.text);
    if (c->problem_count == c->problem_cap) {
        c->problem_cap = c->problem_cap == 0 ? 64 : c->problem_cap * 2;
        c->problems = elm_realloc(c->problems, c->problem_cap * sizeof(c->problems[0]));
    }
    c->problems[c->problem_count++] = p;
    return true;
}

/* ---- targets ---- */

struct walk {
    struct elm_coevolve *c;
    struct elm_rng rng;
    struct elm_pool *pool;               /* of the targets that crossing over takes from */
    const struct elm_tree *other;
    struct elm_tree at;
    int32_t out[COEVOLVE_CASES];
};

static struct elm_parent parent_of(struct elm_coevolve *c, const struct elm_tree *t, uint8_t *bits)
{
    return (struct elm_parent){.tree = t, .editable = bits,
                               .editable_count = elm_tree_editable(t, c->problem.names, bits)};
}

/* One mutation of w->at; false: none that computes something else was found. */
static bool step(struct walk *w)
{
    struct elm_coevolve *c = w->c;
    uint8_t bits[2][ELM_NODES_MAX / 8 + 1];
    struct elm_parent parents[2] = {parent_of(c, &w->at, bits[0]), parent_of(c, w->other, bits[1])};
    struct elm_parents both = {parents, 2};
    struct elm_operator_context context = {.problem = &c->problem, .evidence = &c->evidence,
                                           .pool = w->pool, .vm = c->vm, .arena = &c->arena};
    for (uint32_t i = 0; i < WALK_TRIES; i++) {
        struct elm_edit edits[ELM_EDITS_MAX];
        struct elm_tree child;
        int32_t out[COEVOLVE_CASES];
        uint32_t count = 0;
        uint64_t steps;
        elm_arena_clear(&c->arena);
        if (c->operators[0]->mutate(c->selves[0], &context, &both, &w->rng, edits, &count, NULL) !=
                ELM_OK ||
            elm_tree_edit(&w->at, edits, count, &child, NULL) != ELM_OK)
            continue;
        if (child.count <= c->problem.nodes_max &&
            elm_tree_check(&child, c->problem.names, NULL) == ELM_OK &&
            coevolve_outputs(c, &child, COEVOLVE_AUDIT, TARGET_STEPS, out, &steps) &&
            coevolve_outputs(c, &child, COEVOLVE_SCORED, TARGET_STEPS, out, &steps) &&
            is_target(out) && differing(out, w->out) > 0) {
            elm_tree_release(&w->at);
            w->at = child;
            memcpy(w->out, out, sizeof(out));
            return true;
        }
        elm_tree_release(&child);
    }
    return false;
}

/* A target `steps` mutations from another. False: the walk has come to an end. */
static bool make_target(struct walk *w, const struct elm_tree *from, uint32_t steps)
{
    uint64_t used;
    elm_tree_release(&w->at);
    w->at = elm_tree_copy(from);
    if (!coevolve_outputs(w->c, from, COEVOLVE_SCORED, TARGET_STEPS, w->out, &used))
        return false;
    for (uint32_t i = 0; i < steps; i++) {
        if (!step(w))
            return false;
    }
    return true;
}

static bool make_first(struct walk *w)
{
    uint32_t steps = (uint32_t)elm_rng_range(&w->rng, FIRST_MIN, FIRST_MAX);
    w->other = &w->c->problem.seed;
    return make_target(w, &w->c->problem.seed, steps);
}

static struct walk begin(struct elm_coevolve *c, uint64_t salt, uint64_t number)
{
    return (struct walk){.c = c, .rng = elm_rng(elm_hash_mix(c->def.seed, salt), number),
                         .pool = elm_pool_new()};
}

static void end(struct walk *w)
{
    elm_tree_release(&w->at);
    elm_pool_free(w->pool);
}

enum elm_status coevolve_first(struct elm_coevolve *c, struct elm_error *err)
{
    struct walk w = begin(c, SALT_FIRST, 0);
    int32_t root[COEVOLVE_CASES];
    uint64_t steps;
    bool runs = coevolve_outputs(c, &c->problem.seed, COEVOLVE_SCORED, TARGET_STEPS, root, &steps);
    ELM_ASSERT(runs);
    elm_pool_add(w.pool, &c->problem.seed);
    for (uint32_t i = 0; c->problem_count < c->def.problems && i < TRIES * c->def.problems; i++) {
        if (make_first(&w) && differing(w.out, root) >= DIFFERENT && is_new(c, w.out))
            coevolve_add_problem(c, elm_tree_copy(&w.at), ELM_COEVOLVE_PROBLEM_NONE);
    }
    end(&w);
    if (c->problem_count < c->def.problems)
        return elm_fail(err, ELM_RANGE, "only %u first problems were found: take another seed",
                        c->problem_count);
    return ELM_OK;
}

/* ---- a new problem ---- */

struct ranked {
    struct coevolve_held *held;
    double score;
};

/* The best programs of all archives on it, no two the same. Returns how many. */
static uint32_t rank(const struct elm_coevolve *c, const int32_t *want, struct ranked *best)
{
    uint32_t count = 0;
    for (uint32_t g = 0; g < c->def.problems; g++) {
        for (uint32_t i = 0; i < COEVOLVE_NICHES; i++) {
            struct coevolve_held *h = c->groups[g].held[i];
            if (h == NULL)
                continue;
            double score = coevolve_score(want, h->out, NULL);
            uint32_t at = 0;
            bool twice = false;
            for (; at < count && best[at].score >= score; at++)
                twice = twice || best[at].held->hash == h->hash;
            if (twice || at == STARTERS)
                continue;
            count += count < STARTERS;
            memmove(best + at + 1, best + at, (count - at - 1) * sizeof(best[0]));
            best[at] = (struct ranked){h, score};
        }
    }
    return count;
}

/* Neither solved nor hopeless, and new. */
static bool is_wanted(const struct elm_coevolve *c, const int32_t *want)
{
    uint32_t most = 0;
    for (uint32_t g = 0; g < c->def.problems; g++) {
        for (uint32_t i = 0; i < COEVOLVE_NICHES; i++) {
            const struct coevolve_held *h = c->groups[g].held[i];
            uint32_t passed = h != NULL ? COEVOLVE_CASES - differing(want, h->out) : 0;
            most = passed > most ? passed : most;
        }
    }
    return most >= CRITERION_MIN && most <= CRITERION_MAX && is_new(c, want) &&
           !coevolve_kept(c, coevolve_outputs_hash(want));
}

/* The oldest of the solved ones, else the oldest: where solved ones have no children. */
static uint32_t to_leave(const struct elm_coevolve *c)
{
    uint32_t oldest = 0, solved = UINT32_MAX;
    for (uint32_t g = 0; g < c->def.problems; g++) {
        uint32_t p = c->groups[g].problem;
        if (p < c->groups[oldest].problem)
            oldest = g;
        if (c->problems[p].solved > 0 && (solved == UINT32_MAX || p < c->groups[solved].problem))
            solved = g;
    }
    return solved != UINT32_MAX && c->def.new_problems != ELM_COEVOLVE_MASTERED ? solved : oldest;
}

/* The last problem made takes the place of another. */
static void enter(struct elm_coevolve *c, uint32_t group)
{
    struct coevolve_group *g = &c->groups[group];
    struct ranked best[STARTERS + 1];
    uint32_t problem = c->problem_count - 1;
    uint32_t count = rank(c, c->problems[problem].want[COEVOLVE_SCORED], best);
    for (uint32_t i = 0; i < count; i++)
        best[i].held->refs++;
    c->problems[g->problem].left = c->evaluations;
    for (uint32_t i = 0; i < COEVOLVE_NICHES; i++) {
        if (g->held[i] == NULL)
            continue;
        coevolve_emit(c, &(struct elm_change){.kind = ELM_CHANGE_DROPPED,
                                              .evaluations = c->evaluations, .id = g->held[i]->id,
                                              .parent = -1, .evicted = -1, .group = group}, 0);
        coevolve_drop(g->held[i]);
        g->held[i] = NULL;
    }
    c->kind->free(g->archive);
    g->archive = c->kind->make(&c->problem, 0);
    g->problem = problem;
    for (uint32_t i = 0; i < count; i++) {
        coevolve_copy(c, group, best[i].held);
        coevolve_drop(best[i].held);
    }
}

/* Not hopeless: a program is right on a tenth of its cases. Or solved. */
static bool may_have_children(const struct elm_coevolve *c, const struct coevolve_group *g)
{
    const struct coevolve_problem *p = &c->problems[g->problem];
    if (c->def.new_problems == ELM_COEVOLVE_MASTERED)
        return p->solved > 0;
    uint32_t most = 0;
    for (uint32_t i = 0; i < COEVOLVE_NICHES; i++) {
        uint32_t passed = 0;
        if (g->held[i] != NULL)
            coevolve_score(p->want[COEVOLVE_SCORED], g->held[i]->out, &passed);
        most = passed > most ? passed : most;
    }
    return most >= CRITERION_MIN;
}

static uint32_t draw_parent(const struct elm_coevolve *c, struct elm_rng *rng)
{
    uint32_t able[ELM_COEVOLVE_PROBLEMS_MAX], count = 0;
    for (uint32_t g = 0; g < c->def.problems; g++) {
        if (may_have_children(c, &c->groups[g]))
            able[count++] = c->groups[g].problem;
    }
    return count > 0 ? able[elm_rng_below(rng, count)] : ELM_COEVOLVE_PROBLEM_NONE;
}

static bool make_mutated(struct walk *w, uint32_t *parent)
{
    struct elm_coevolve *c = w->c;
    *parent = draw_parent(c, &w->rng);
    if (*parent == ELM_COEVOLVE_PROBLEM_NONE)
        return false;
    uint32_t other = c->groups[elm_rng_below(&w->rng, c->def.problems)].problem;
    w->other = &c->problems[other].target;
    return make_target(w, &c->problems[*parent].target, 1 + elm_rng_below(&w->rng, MUTATIONS_MAX));
}

void coevolve_breed(struct elm_coevolve *c)
{
    struct walk w = begin(c, SALT_BREED, c->turns);
    bool mutated = c->def.new_problems != ELM_COEVOLVE_GENERATED, found = false;
    elm_pool_add(w.pool, &c->problem.seed);
    for (uint32_t g = 0; mutated && g < c->def.problems; g++)
        elm_pool_add(w.pool, &c->problems[c->groups[g].problem].target);
    for (uint32_t i = 0; i < TRIES && !found; i++) {
        uint32_t parent = ELM_COEVOLVE_PROBLEM_NONE;
        found = (mutated ? make_mutated(&w, &parent) : make_first(&w)) && is_wanted(c, w.out) &&
                coevolve_add_problem(c, elm_tree_copy(&w.at), parent);
    }
    end(&w);
    if (found)
        enter(c, to_leave(c));
}
