/*
 * recall: puts parts of a program that did well in earlier searches (elm/library.h) where they stand in
 * it. The parent and the program are laid side by side, statements of a block aligned by what they
 * share; some of the places where they differ then become as they are in the program.
 */
#include "elm/library.h"
#include "elm/operator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 16
#define SPOTS_MAX 128
#define BLOCK_KIDS_MAX 48
#define LOG_DRAWS_MAX 8          /* 1 to 256 programs, of which the nearest is taken */
#define ALL 0.5                  /* as many places as a child may have, else 1, 2 or 4 */
#define LOG_EDITS_MAX 3

/* Hashes of statements, sorted. */
struct signature {
    uint64_t *hashes;
    uint32_t count;
};

struct recall {
    struct elm_tree *programs;
    struct signature *signatures;
    double *sums;                /* of their weights so far */
    uint32_t count;
    bool read;
};

/* A place where they differ. */
struct spot {
    uint32_t parent, at;         /* nodes; `at` is replaced, or stands where something is put before it */
    uint16_t first, removed;
    const struct elm_node *put;  /* NULL: nothing */
};

struct work {
    const struct elm_operator_context *context;
    const struct elm_parent *parent;
    const struct elm_tree *tree;
    const struct elm_tree *program;
    struct spot spots[SPOTS_MAX];
    uint32_t spot_count;
};

static void *recall_make(const struct elm_problem *problem)
{
    (void)problem;
    return elm_calloc(1, sizeof(struct recall));
}

static void recall_free(void *self)
{
    struct recall *s = self;
    for (uint32_t i = 0; i < s->count; i++) {
        elm_tree_release(&s->programs[i]);
        free(s->signatures[i].hashes);
    }
    free(s->programs);
    free(s->signatures);
    free(s->sums);
    free(s);
}

static enum elm_status recall_model(const char *path, struct elm_error *err)
{
    struct elm_library *l;
    if (path == NULL)
        return elm_fail(err, ELM_NOT_FOUND, "no library is built in; elm train RUN --trainer library "
                        "makes one");
    ELM_TRY(elm_library_read(path, &l, err));
    elm_library_free(l);
    return ELM_OK;
}

/* ---- the programs, in the problem's names ---- */

static bool has_name(uint8_t kind)
{
    return kind == ELM_NODE_FUNCTION || kind == ELM_NODE_PARAM || kind == ELM_NODE_DECLARE ||
           kind == ELM_NODE_VAR || kind == ELM_NODE_INDEX || kind == ELM_NODE_CALL ||
           kind == ELM_NODE_COMMENT || kind == ELM_NODE_TEXT;
}

static uint32_t find_name(const struct elm_names *names, struct elm_str text)
{
    uint32_t count = elm_names_count(names);
    for (uint32_t i = 0; i < count; i++) {
        if (elm_str_equal(elm_names_text(names, i), text))
            return i;
    }
    return UINT32_MAX;
}

/* Ids of `theirs` to those of `ours`, to which nothing is added: what a run names must not depend on
 * the library. Names that it does not have become fresh locals. */
static uint32_t *map_names(const struct elm_names *theirs, const struct elm_names *ours)
{
    uint32_t count = elm_names_count(theirs), fresh = 0;
    uint32_t *map = elm_malloc((count + 1) * sizeof(*map));
    for (uint32_t i = 0; i < count; i++) {
        map[i] = find_name(ours, elm_names_text(theirs, i));
        if (map[i] == UINT32_MAX)
            map[i] = ELM_NAMES_FRESH + fresh++ % (ELM_NAMES_FIXED - ELM_NAMES_FRESH);
    }
    return map;
}

static int by_hash(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Statements without blocks in them, which differ wherever one of theirs does. */
static void sign(const struct elm_tree *t, struct signature *out)
{
    out->hashes = elm_malloc((t->count + 1) * sizeof(*out->hashes));
    out->count = 0;
    for (uint32_t i = 1; i < t->count; i++) {
        const struct elm_node *n = &t->nodes[i];
        uint64_t hash = n->kind;
        bool plain = elm_kind_info(n->kind)->cls == ELM_CLASS_STATEMENT && n->kind != ELM_NODE_BLOCK;
        for (uint32_t k = 0; k < n->size && plain; k++) {
            plain = n[k].kind != ELM_NODE_BLOCK;
            bool wide = n[k].kind == ELM_NODE_INT || n[k].kind == ELM_NODE_REAL;
            hash = elm_hash_mix(hash, (uint64_t)n[k].kind << 32 |
                                      (has_name(n[k].kind) ? n[k].name : n[k].kids));
            hash = wide ? elm_hash_mix(hash, (uint64_t)n[k].i) : hash;
        }
        if (plain)
            out->hashes[out->count++] = hash;
    }
    qsort(out->hashes, out->count, sizeof(*out->hashes), by_hash);
}

/* Statements that only one of them has. */
static uint32_t apart(const struct signature *a, const struct signature *b)
{
    uint32_t i = 0, k = 0, both = 0;
    while (i < a->count && k < b->count) {
        uint64_t x = a->hashes[i], y = b->hashes[k];
        both += x == y;
        i += x <= y;
        k += y <= x;
    }
    return a->count + b->count - 2 * both;
}

static enum elm_status read_programs(struct recall *s, const struct elm_operator_context *context,
                                     struct elm_error *err)
{
    struct elm_library *l;
    double sum = 0;
    if (s->read)
        return ELM_OK;
    if (context->model == NULL)
        return recall_model(NULL, err);
    ELM_TRY(elm_library_read(context->model, &l, err));
    struct elm_names *names = elm_names_new();
    s->programs = elm_calloc(elm_library_count(l), sizeof(*s->programs));
    s->signatures = elm_calloc(elm_library_count(l), sizeof(*s->signatures));
    s->sums = elm_calloc(elm_library_count(l), sizeof(*s->sums));
    for (uint32_t i = 0; i < elm_library_count(l); i++) {
        struct elm_tree *t = &s->programs[s->count];
        if (elm_tree_parse(elm_library_text(l, i), names, t, NULL) != ELM_OK)
            continue;
        if (elm_tree_check(t, names, NULL) != ELM_OK) {
            elm_tree_release(t);
            continue;
        }
        s->sums[s->count++] = sum += exp((double)elm_library_weights(l)[i]);
    }
    uint32_t *map = map_names(names, context->problem->names);
    for (uint32_t i = 0; i < s->count; i++) {
        for (uint32_t k = 0; k < s->programs[i].count; k++) {
            struct elm_node *n = &s->programs[i].nodes[k];
            if (has_name(n->kind))
                n->name = map[n->name];
        }
        sign(&s->programs[i], &s->signatures[i]);
    }
    free(map);
    elm_names_free(names);
    elm_library_free(l);
    s->read = true;
    return ELM_OK;
}

static uint32_t draw_program(const struct recall *s, struct elm_rng *rng)
{
    double at = elm_rng_unit(rng) * s->sums[s->count - 1];
    uint32_t lo = 0, hi = s->count - 1;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (s->sums[mid] > at)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* ---- where they differ ---- */

static bool same(const struct elm_node *a, const struct elm_node *b)
{
    return a->size == b->size && elm_edit_same(a, b, a->size);
}

/* A comment that the problem does not know has no name to stand for it. */
static bool has_comment(const struct elm_node *n)
{
    for (uint32_t i = 0; n != NULL && i < n->size; i++) {
        if (n[i].kind == ELM_NODE_COMMENT || n[i].kind == ELM_NODE_TEXT)
            return true;
    }
    return false;
}

static void add_spot(struct work *w, uint32_t at, uint32_t parent, uint32_t first, uint32_t removed,
                     const struct elm_node *put)
{
    bool editable = (w->parent->editable[at / 8] >> (at % 8) & 1) != 0;
    if (editable && w->spot_count < SPOTS_MAX && !has_comment(put))
        w->spots[w->spot_count++] = (struct spot){parent, at, (uint16_t)first, (uint16_t)removed, put};
}

struct alignment {
    uint32_t old[BLOCK_KIDS_MAX + 1], new[BLOCK_KIDS_MAX + 1];
    uint32_t old_count, new_count;
    uint8_t shared[BLOCK_KIDS_MAX + 1][BLOCK_KIDS_MAX + 1];
};

static uint32_t list_kids(const struct elm_node *block, uint32_t at, uint32_t *kids)
{
    uint32_t kid = at + 1;
    for (uint32_t k = 0; k < block->kids; k++) {
        kids[k] = kid;
        kid += block[kid - at].size;
    }
    return block->kids;
}

/* The longest common subsequence of statements, from the end. */
static void share(const struct work *w, struct alignment *a)
{
    for (uint32_t i = a->old_count + 1; i-- > 0;) {
        for (uint32_t k = a->new_count + 1; k-- > 0;) {
            uint8_t *to = &a->shared[i][k];
            if (i == a->old_count || k == a->new_count)
                *to = 0;
            else if (same(&w->tree->nodes[a->old[i]], &w->program->nodes[a->new[k]]))
                *to = a->shared[i + 1][k + 1] + 1;
            else
                *to = a->shared[i + 1][k] > a->shared[i][k + 1] ? a->shared[i + 1][k]
                                                               : a->shared[i][k + 1];
        }
    }
}

static void compare(struct work *w, uint32_t at, uint32_t parent, uint32_t kid, uint32_t with);

/* Statements between two shared ones: one against one, then what is left of either. */
static void compare_gap(struct work *w, const struct alignment *a, uint32_t block, uint32_t old,
                        uint32_t old_end, uint32_t new, uint32_t new_end)
{
    for (; old < old_end && new < new_end; old++, new++)
        compare(w, a->old[old], block, old, a->new[new]);
    for (; old < old_end; old++)
        add_spot(w, a->old[old], block, old, 1, NULL);
    uint32_t last = a->old_count - 1;
    for (; new < new_end; new++)
        add_spot(w, a->old[old < last ? old : last], block, old, 0, &w->program->nodes[a->new[new]]);
}

static void compare_blocks(struct work *w, uint32_t at, uint32_t with)
{
    struct alignment a;
    const struct elm_node *old = &w->tree->nodes[at], *new = &w->program->nodes[with];
    if (old->kids == 0 || old->kids > BLOCK_KIDS_MAX || new->kids > BLOCK_KIDS_MAX)
        return;
    a.old_count = list_kids(old, at, a.old);
    a.new_count = list_kids(new, with, a.new);
    share(w, &a);
    uint32_t i = 0, k = 0;
    while (i < a.old_count || k < a.new_count) {
        uint32_t from_i = i, from_k = k;
        while (i < a.old_count && k < a.new_count &&
               !same(&w->tree->nodes[a.old[i]], &w->program->nodes[a.new[k]])) {
            if (a.shared[i + 1][k] >= a.shared[i][k + 1])
                i++;
            else
                k++;
        }
        if (i == a.old_count || k == a.new_count) {
            i = a.old_count;
            k = a.new_count;
        }
        compare_gap(w, &a, at, from_i, i, from_k, k);
        i++;
        k++;
    }
}

static bool same_head(const struct elm_node *a, const struct elm_node *b)
{
    bool named = has_name(a->kind);
    return a->kind == b->kind && a->kids == b->kids && a->kids > 0 &&
           (!named || (a->name == b->name && a->type == b->type));
}

/* Node `at`, kid number `kid` of `parent`, with a node of the program. */
static void compare(struct work *w, uint32_t at, uint32_t parent, uint32_t kid, uint32_t with)
{
    const struct elm_node *a = &w->tree->nodes[at], *b = &w->program->nodes[with];
    if (same(a, b))
        return;
    if (a->kind == ELM_NODE_BLOCK && b->kind == ELM_NODE_BLOCK) {
        compare_blocks(w, at, with);
        return;
    }
    if (!same_head(a, b)) {
        if (a->kind != ELM_NODE_BLOCK)
            add_spot(w, at, parent, kid, 1, b);
        return;
    }
    uint32_t mine = at + 1, theirs = with + 1;
    for (uint32_t k = 0; k < a->kids; k++) {
        compare(w, mine, at, k, theirs);
        mine += w->tree->nodes[mine].size;
        theirs += w->program->nodes[theirs].size;
    }
}

/* Functions of the same name, their bodies. */
static void find_spots(struct work *w)
{
    const struct elm_node *mine = w->tree->nodes, *theirs = w->program->nodes;
    w->spot_count = 0;
    for (uint32_t i = 1; i < w->tree->count; i += mine[i].size) {
        for (uint32_t k = 1; k < w->program->count && mine[i].kind == ELM_NODE_FUNCTION;
             k += theirs[k].size) {
            if (theirs[k].kind == ELM_NODE_FUNCTION && theirs[k].name == mine[i].name &&
                theirs[k].kids == mine[i].kids)
                compare_blocks(w, elm_tree_kid(w->tree, i, mine[i].kids - 1u),
                               elm_tree_kid(w->program, k, theirs[k].kids - 1u));
        }
    }
}

/* The nearest of a few that differ at all. */
static void draw_near(const struct recall *s, struct work *w, const struct signature *mine,
                      struct elm_rng *rng)
{
    uint32_t draws = 1u << elm_rng_below(rng, LOG_DRAWS_MAX + 1), fewest = UINT32_MAX, nearest = 0;
    for (uint32_t i = 0; i < draws; i++) {
        uint32_t k = draw_program(s, rng), far = apart(mine, &s->signatures[k]);
        if (far == 0 || far >= fewest)
            continue;
        fewest = far;
        nearest = k;
    }
    w->program = &s->programs[nearest];
    find_spots(w);
}

/* ---- the child ---- */

static bool make_edit(const struct work *w, const struct spot *spot, struct elm_rng *rng,
                      struct elm_edit *edit)
{
    *edit = (struct elm_edit){.parent = spot->parent, .first = spot->first,
                              .removed = spot->removed};
    if (spot->put == NULL)
        return true;
    edit->put_kids = 1;
    return elm_edit_fit(w->tree, spot->at, spot->put, w->context, rng, &edit->put,
                        &edit->put_count);
}

static uint32_t take_spots(const struct work *w, struct elm_rng *rng, struct elm_edit *edits)
{
    uint32_t wanted = elm_rng_chance(rng, ALL) ? ELM_EDITS_MAX
                                               : 1u << elm_rng_below(rng, LOG_EDITS_MAX),
             count = 0, nodes = 0;
    for (uint32_t i = 0; i < w->spot_count && wanted > 0; i++) {
        const struct spot *spot = &w->spots[i];
        if (elm_rng_below(rng, w->spot_count - i) >= wanted)
            continue;
        wanted--;
        bool taken = count > 0 && edits[count - 1].parent == spot->parent &&
                     edits[count - 1].first == spot->first;
        if (taken || !make_edit(w, spot, rng, &edits[count]) ||
            nodes + edits[count].put_count > w->context->problem->edit_nodes_max)
            continue;
        nodes += edits[count++].put_count;
    }
    return count;
}

/* Would the child build, and is it small enough? */
static bool passes(const struct work *w, const struct elm_edit *edits, uint32_t count)
{
    struct elm_tree child;
    if (elm_tree_edit(w->tree, edits, count, &child, NULL) != ELM_OK)
        return false;
    bool good = child.count <= w->context->problem->nodes_max &&
                elm_tree_check(&child, w->context->problem->names, NULL) == ELM_OK;
    elm_tree_release(&child);
    return good;
}

static enum elm_status recall_mutate(void *self, const struct elm_operator_context *context,
                                     const struct elm_parents *parents, struct elm_rng *rng,
                                     struct elm_edit *edits, uint32_t *edit_count,
                                     struct elm_error *err)
{
    struct recall *s = self;
    const struct elm_parent *parent = &parents->parent[0];
    if (parent->tree == NULL || parent->editable_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no editable node in program %lld",
                        (long long)parent->id);
    ELM_TRY(read_programs(s, context, err));
    struct work w = {.context = context, .parent = parent, .tree = parent->tree};
    struct signature mine;
    sign(parent->tree, &mine);
    uint32_t count = 0;
    for (int i = 0; i < TRIES && s->count > 0 && count == 0; i++) {
        draw_near(s, &w, &mine, rng);
        count = take_spots(&w, rng, edits);
        if (count > 0 && !passes(&w, edits, count))
            count = 0;
    }
    free(mine.hashes);
    *edit_count = count;
    if (count > 0)
        return ELM_OK;
    return elm_fail(err, ELM_NOT_FOUND, "no part of the library fits program %lld",
                    (long long)parent->id);
}

const struct elm_operator_kind elm_operator_recall = {
    .name = "recall",
    .summary = "puts parts of programs that did well in earlier searches where they stand there",
    .price_us = 4,
    .parents_min = 1,
    .make = recall_make,
    .free = recall_free,
    .applies = elm_operator_takes_core_c,
    .model = recall_model,
    .mutate = recall_mutate,
};
