/* nano_read: a program and what its runs say, as rows of ids and numbers. */
#include "model/nano.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES_RUN 128            /* of the shown ones: which fail */
#define FAILING_READ 6           /* at most, so that some right ones are seen, too */
#define IN_NUMBERS 8
#define ARRAY_NUMBERS 4
#define OUT_NUMBERS 4

struct nano_reader {
    struct elm_tape tape;
    struct elm_buf code;
    uint8_t *out, *in, *want, *mask;     /* one case; those read */
    size_t out_bytes, in_bytes;
    struct { uint32_t at; bool passes, ends; } chosen[NANO_CASES];
    uint8_t *got;                        /* of those read */
    uint32_t count;
};

struct nano_reader *nano_reader_new(void)
{
    return elm_calloc(1, sizeof(struct nano_reader));
}

static void free_cases(struct nano_reader *r)
{
    free(r->out);
    free(r->in);
    free(r->want);
    free(r->mask);
    free(r->got);
}

void nano_reader_free(struct nano_reader *r)
{
    if (r == NULL)
        return;
    elm_tape_release(&r->tape);
    elm_buf_release(&r->code);
    free_cases(r);
    free(r);
}

void nano_prefix_release(struct nano_prefix *p)
{
    free(p->features);
    free(p->ids);
    free(p->at);
    free(p->slot);
    free(p->row);
    *p = (struct nano_prefix){0};
}

void nano_number(union elm_value v, bool real, float *out)
{
    double x = real ? v.d : (double)v.i, size = fabs(x);
    uint64_t low = real ? 0 : (uint64_t)(v.i < 0 ? -v.i : v.i);
    if (!(size < 1e30))
        size = 1e30;
    out[0] = 1;
    out[1] = (float)((x > 0) - (x < 0));
    out[2] = (float)(log2(1 + size) / 8);
    out[3] = (float)(size <= 16 ? x / 16 : 0);
    out[4] = (float)(low & 1);
    out[5] = (float)(low >> 1 & 1);
    out[6] = (float)(low >> 2 & 1);
    out[7] = x == 0;
    out[8] = x == 1;
    out[9] = (float)(real ? size - floor(size) : 0);
}

/* ---- nodes ---- */

static void reserve(struct nano_prefix *p, uint32_t tree_nodes)
{
    if (p->cap == 0) {
        p->cap = NANO_NODES_MAX;
        p->features = elm_malloc(p->cap * NANO_NODE_FEATURES * sizeof(float));
        p->ids = elm_malloc(p->cap * sizeof(p->ids[0]));
        p->at = elm_malloc(4 * p->cap * sizeof(p->at[0]));
        p->parent = p->at + p->cap;
        p->end = p->parent + p->cap;
        p->previous = p->end + p->cap;
        p->slot = elm_malloc(2 * p->cap);
        p->need = p->slot + p->cap;
    }
    if (p->row_cap < tree_nodes) {
        free(p->row);
        p->row_cap = tree_nodes * 2;
        p->row = elm_malloc(p->row_cap * sizeof(p->row[0]));
    }
}

static bool is_read(const struct nano_program *p, uint32_t at)
{
    uint8_t kind = p->tree->nodes[at].kind;
    return kind != ELM_NODE_PROGRAM && kind != ELM_NODE_COMMENT && kind != ELM_NODE_TEXT &&
           p->places[at].function != 0;
}

/* The nodes that are read: a window that begins a little before what may be edited. */
static void choose_nodes(const struct nano_program *p, struct nano_prefix *out)
{
    uint32_t first = 0, total = 0, before = 0;
    for (uint32_t i = 0; i < p->tree->count; i++) {
        total += is_read(p, i);
        if (first == 0 && p->places[i].need != NANO_NOTHING) {
            first = i;
            before = total;
        }
    }
    uint32_t skip = total <= NANO_NODES_MAX || before < NANO_NODES_MAX / 8
                        ? 0 : before - NANO_NODES_MAX / 8;
    out->node_count = 0;
    for (uint32_t i = 0; i < p->tree->count; i++) {
        out->row[i] = UINT16_MAX;
        if (!is_read(p, i) || (skip > 0 && skip-- > 0) || out->node_count == NANO_NODES_MAX)
            continue;
        out->row[i] = (uint16_t)out->node_count;
        out->at[out->node_count++] = (uint16_t)i;
    }
}

static uint16_t literal_id(const struct nano_program *p, const struct elm_node *n)
{
    uint32_t literal = n->kind == ELM_NODE_NEG ? NANO_LITERALS : nano_literal_find(n);
    if (literal < NANO_LITERALS)
        return (uint16_t)(NANO_ID_LITERAL + literal);
    for (uint32_t k = 0; k < p->own_count; k++) {
        if (p->own[k].kind == n->kind && p->own[k].i == n->i)
            return (uint16_t)(NANO_ID_LITERAL + NANO_LITERALS + k);
    }
    return NANO_ID_LITERAL + NANO_LITERALS + NANO_OWN;
}

static uint16_t call_id(const struct nano_program *p, const struct elm_node *n)
{
    if (n->name < ELM_MATH_FUNCTIONS)
        return (uint16_t)(NANO_ID_CALL + n->name);
    for (uint32_t k = 0; k < p->callable_count; k++) {
        if (p->tree->nodes[p->callable[k]].name == n->name)
            return (uint16_t)(NANO_ID_CALL + ELM_MATH_FUNCTIONS + k);
    }
    return NANO_ID_CALL + ELM_MATH_FUNCTIONS + NANO_CALLABLE;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void read_node(const struct nano_program *p, struct nano_prefix *out, uint32_t row)
{
    uint32_t at = out->at[row];
    const struct elm_node *n = &p->tree->nodes[at];
    const struct nano_place *place = &p->places[at];
    uint16_t *ids = out->ids[row];
    const struct elm_node *parent = &p->tree->nodes[place->parent];
    memset(ids, 0, sizeof(out->ids[0]));
    ids[0] = (uint16_t)(NANO_ID_KIND + n->kind);
    ids[1] = (uint16_t)(NANO_ID_TYPE + n->type);
    ids[2] = (uint16_t)(NANO_ID_SLOT + place->slot);
    if (n->kind == ELM_NODE_INT || n->kind == ELM_NODE_REAL)
        ids[3] = literal_id(p, n);
    else if (n->kind == ELM_NODE_CALL)
        ids[3] = call_id(p, n);
    ids[4] = (uint16_t)(NANO_ID_PARENT + parent->kind);
    ids[5] = (uint16_t)(NANO_ID_KID + least(place->kid, 7));
    ids[6] = (uint16_t)(NANO_ID_DEPTH + least(place->depth, 15));
    ids[7] = (uint16_t)(NANO_ID_POSITION + least(row, 127));
    ids[8] = (uint16_t)(NANO_ID_NEED + place->need);
    ids[9] = (uint16_t)(NANO_ID_FLAGS + (place->flags & 15));
    out->slot[row] = place->slot;
    out->need[row] = place->need;
    out->parent[row] = out->row[place->parent];
    out->previous[row] = UINT16_MAX;
    uint32_t before = place->parent + 1u;
    while (before < at) {
        uint32_t next = before + p->tree->nodes[before].size;
        if (next == at)
            out->previous[row] = out->row[before];
        before = next;
    }
    uint32_t end = row;
    while (end < out->node_count && out->at[end] < at + n->size)
        end++;
    out->end[row] = (uint16_t)end;
}

/* ---- cases ---- */

static void reserve_cases(struct nano_reader *r, const struct elm_io *io)
{
    if (r->out_bytes >= io->out_bytes && r->in_bytes >= io->in_bytes)
        return;
    free_cases(r);
    r->out_bytes = io->out_bytes;
    r->in_bytes = io->in_bytes;
    r->out = elm_malloc(io->out_bytes);
    r->in = elm_malloc((size_t)NANO_CASES * io->in_bytes);
    r->want = elm_malloc((size_t)NANO_CASES * io->out_bytes);
    r->mask = elm_malloc((size_t)NANO_CASES * io->out_bytes);
    r->got = elm_malloc((size_t)NANO_CASES * io->out_bytes);
}

static bool is_right(const struct elm_evidence *e, const struct elm_io *io, uint32_t c,
                     const uint8_t *got)
{
    const uint8_t *want = (const uint8_t *)e->want + (size_t)c * io->out_bytes;
    const uint8_t *mask = e->want_mask + (size_t)c * io->out_bytes;
    for (uint32_t i = 0; i < io->out_bytes; i++) {
        if (mask[i] && want[i] != got[i])
            return false;
    }
    return true;
}

static void keep_case(struct nano_reader *r, const struct elm_evidence *e,
                      const struct elm_io *io, uint32_t c, bool passes, bool ends)
{
    uint32_t k = r->count++;
    r->chosen[k].at = c;
    r->chosen[k].passes = passes;
    r->chosen[k].ends = ends;
    memcpy(r->got + (size_t)k * io->out_bytes, r->out, io->out_bytes);
    memcpy(r->in + (size_t)k * io->in_bytes, (const uint8_t *)e->in + (size_t)c * io->in_bytes,
           io->in_bytes);
    if (e->want == NULL)
        return;
    memcpy(r->want + (size_t)k * io->out_bytes,
           (const uint8_t *)e->want + (size_t)c * io->out_bytes, io->out_bytes);
    memcpy(r->mask + (size_t)k * io->out_bytes, e->want_mask + (size_t)c * io->out_bytes,
           io->out_bytes);
}

/* Up to six that fail, then others. */
static void choose_cases(struct nano_reader *r, const struct nano_program *p,
                         const struct elm_io *io, uint64_t fuel, const struct elm_evidence *e,
                         struct elm_vm_memory *vm)
{
    uint64_t steps;
    uint32_t total = e->case_count < CASES_RUN ? e->case_count : CASES_RUN;
    bool fails[CASES_RUN] = {0};
    r->count = 0;
    elm_buf_clear(&r->code);
    bool runs = vm != NULL && elm_vm_compile(p->tree, p->names, io, &r->code, NULL) == ELM_OK;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t most = pass == 0 ? FAILING_READ : NANO_CASES;
        for (uint32_t c = 0; c < total && r->count < most; c++) {
            if (pass == 1 && fails[c])
                continue;
            memset(r->out, 0, io->out_bytes);
            bool ends = runs && elm_vm_run(r->code.ptr, vm,
                                           (const uint8_t *)e->in + (size_t)c * io->in_bytes,
                                           r->out, fuel, &steps) == ELM_VM_OK;
            bool right = ends && e->want != NULL && is_right(e, io, c, r->out);
            if (pass == 0)
                fails[c] = !right;
            if (pass == 1 || !right)
                keep_case(r, e, io, c, right, ends);
        }
    }
}

static union elm_value number_at(const uint8_t *bytes, uint32_t i, bool real)
{
    union elm_value v = {.i = 0};
    int32_t x;
    if (real) {
        memcpy(&v.d, bytes + 8 * (size_t)i, 8);
        if (!isfinite(v.d))
            v.d = 0;
    } else {
        memcpy(&x, bytes + 4 * (size_t)i, 4);
        v.i = x;
    }
    return v;
}

static bool is_real(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY;
}

/* The first numbers of the inputs, or of the outputs. */
static void read_side(const struct elm_io *io, const uint8_t *bytes, bool input, float *out)
{
    uint32_t room = input ? IN_NUMBERS : OUT_NUMBERS;
    if (!input && io->returns != ELM_TYPE_NONE) {
        nano_number(number_at(bytes, 0, is_real(io->returns)), is_real(io->returns), out);
        out += NANO_NUMBER_FEATURES;
        room--;
    }
    for (uint32_t k = 0; k < io->param_count; k++) {
        const struct elm_io_param *p = &io->params[k];
        uint32_t offset = input ? p->in_offset : p->out_offset;
        bool array = p->type == ELM_TYPE_INT_ARRAY || p->type == ELM_TYPE_DOUBLE_ARRAY;
        uint32_t count = array ? p->dims[0] * (p->dims[1] > 0 ? p->dims[1] : 1) : 1;
        if (offset == UINT32_MAX || (!input && !array))
            continue;
        count = least(count, ARRAY_NUMBERS);
        for (uint32_t i = 0; i < count && room > 0; i++, room--) {
            nano_number(number_at(bytes + offset, i, is_real(p->type)), is_real(p->type), out);
            out += NANO_NUMBER_FEATURES;
        }
    }
}

static void read_cases(const struct nano_reader *r, const struct elm_io *io,
                       const struct elm_evidence *e, struct nano_prefix *out)
{
    out->case_count = r->count;
    memset(out->cases, 0, sizeof(out->cases));
    for (uint32_t k = 0; k < r->count; k++) {
        float *f = out->cases + k * NANO_CASE_FEATURES;
        read_side(io, r->in + (size_t)k * io->in_bytes, true, f);
        f += IN_NUMBERS * NANO_NUMBER_FEATURES;
        if (e->want != NULL)
            read_side(io, r->want + (size_t)k * io->out_bytes, false, f);
        f += OUT_NUMBERS * NANO_NUMBER_FEATURES;
        if (r->chosen[k].ends)
            read_side(io, r->got + (size_t)k * io->out_bytes, false, f);
        f += OUT_NUMBERS * NANO_NUMBER_FEATURES;
        f[0] = r->chosen[k].passes;
        f[1] = r->chosen[k].ends;
        f[2] = e->want != NULL;
        f[3] = 1;
    }
}

void nano_read(struct nano_reader *r, const struct nano_program *p, const struct elm_io *io,
               uint64_t fuel, const struct elm_evidence *evidence, bool opaque,
               struct elm_vm_memory *vm, struct nano_prefix *out)
{
    reserve(out, p->tree->count);
    choose_nodes(p, out);
    for (uint32_t row = 0; row < out->node_count; row++)
        read_node(p, out, row);
    memset(out->features, 0, out->node_count * NANO_NODE_FEATURES * sizeof(float));
    nano_reads(p, out);
    out->case_count = 0;
    out->opaque = opaque || evidence == NULL || evidence->case_count == 0;
    if (evidence == NULL || evidence->case_count == 0)
        return;
    reserve_cases(r, io);
    choose_cases(r, p, io, fuel, evidence, vm);
    read_cases(r, io, evidence, out);
    struct elm_evidence some = {.case_count = r->count, .in = r->in,
                                .want = evidence->want != NULL ? r->want : NULL,
                                .want_mask = r->mask};
    if (opaque || vm == NULL || evidence->want == NULL ||
        elm_tape_record(&r->tape, p->tree, p->names, io, &some, NULL) != ELM_OK) {
        out->opaque = true;
        return;
    }
    nano_features(&r->tape, p, out);
}

/* ---- rows of the edit ---- */

void nano_step_start(struct nano_step *s)
{
    *s = (struct nano_step){.ids = {NANO_ID_START}, .node = UINT16_MAX, .end = UINT16_MAX};
}

static void next_ids(struct nano_step *s, const struct nano_hole *h, uint32_t hole)
{
    s->ids[1] = (uint16_t)(NANO_ID_NEXT + h->need);
    s->ids[2] = (uint16_t)(NANO_ID_OVER + h->parent);
    s->ids[3] = (uint16_t)(NANO_ID_OVER_KID + h->kid);
    s->ids[4] = (uint16_t)(NANO_ID_STEP + h->count);
    s->ids[5] = (uint16_t)(NANO_ID_HOLE + hole);
}

static void set_node(struct nano_step *s, const struct nano_prefix *p, uint32_t at)
{
    s->node = p->row[at];
    s->end = s->node == UINT16_MAX ? UINT16_MAX : p->end[s->node];
}

void nano_step_point(struct nano_step *s, const struct nano_prefix *p, const struct nano_hole *h,
                     uint32_t hole)
{
    *s = (struct nano_step){.ids = {NANO_ID_POINT}};
    next_ids(s, h, hole);
    set_node(s, p, h->spot->at);
}

void nano_step_token(struct nano_step *s, const struct nano_prefix *p, const struct nano_hole *h,
                     uint32_t hole)
{
    *s = (struct nano_step){.ids = {(uint16_t)(NANO_ID_TOKEN + h->tokens[h->count - 1])}};
    next_ids(s, h, hole);
    set_node(s, p, h->spot->at);
}

/* ---- how rows stand to each other ---- */

static uint8_t relation(const struct nano_prefix *p, uint32_t i, uint32_t j)
{
    if (i == j)
        return NANO_REL_SELF;
    if (p->parent[i] == j)
        return NANO_REL_PARENT;
    if (p->parent[j] == i)
        return NANO_REL_KID;
    if (p->previous[i] == j)
        return NANO_REL_PREVIOUS;
    if (p->previous[j] == i)
        return NANO_REL_NEXT;
    if (j < i && i < p->end[j])
        return NANO_REL_ABOVE;
    if (i < j && j < p->end[i])
        return NANO_REL_BELOW;
    return p->slot[i] < NANO_SLOTS && p->slot[i] == p->slot[j] ? NANO_REL_SAME_NAME : NANO_REL_FAR;
}

void nano_relations(const struct nano_prefix *p, uint32_t stride, uint8_t *out)
{
    uint32_t cases = p->case_count, nodes = p->node_count;
    for (uint32_t i = 0; i < cases + nodes; i++) {
        uint8_t *row = out + (size_t)i * stride;
        for (uint32_t j = 0; j < cases; j++)
            row[j] = i == j ? NANO_REL_SELF : i < cases ? NANO_REL_OF_CASE : NANO_REL_CASE;
        for (uint32_t j = 0; j < nodes; j++)
            row[cases + j] = i < cases ? NANO_REL_OUTSIDE : relation(p, i - cases, j);
    }
}

void nano_step_relations(const struct nano_prefix *p, const struct nano_step *s, uint8_t *out)
{
    uint32_t cases = p->case_count;
    memset(out, NANO_REL_CASE, cases);
    memset(out + cases, NANO_REL_OUTSIDE, p->node_count);
    if (s->node == UINT16_MAX)
        return;
    memset(out + cases + s->node, NANO_REL_IN_SPOT, s->end - s->node);
    out[cases + s->node] = NANO_REL_SPOT;
}
