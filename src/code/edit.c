/* edit: splices subtrees into a copy of the parent, and packs edits into a few bytes. */
#include "elm/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 220

struct builder {
    const struct elm_node *from;
    const struct elm_edit *edits;
    uint32_t edit_count, applied;
    struct elm_node *to;
    uint32_t count, cap;
    bool too_large;
};

static struct elm_node *room(struct builder *b, uint32_t more)
{
    if (b->count + more > b->cap) {
        b->too_large = true;
        return NULL;
    }
    struct elm_node *at = b->to + b->count;
    b->count += more;
    return at;
}

static bool touched(const struct builder *b, uint32_t at)
{
    for (uint32_t i = 0; i < b->edit_count; i++) {
        uint32_t parent = b->edits[i].parent;
        if (parent >= at && parent < at + b->from[at].size)
            return true;
    }
    return false;
}

/* The edit of kids of `at` that begins at kid k; two may not begin there. */
static const struct elm_edit *edit_at(const struct builder *b, uint32_t at, uint32_t k)
{
    for (uint32_t i = 0; i < b->edit_count; i++) {
        if (b->edits[i].parent == at && b->edits[i].first == k)
            return &b->edits[i];
    }
    return NULL;
}

static void emit(struct builder *b, uint32_t at)
{
    const struct elm_node *n = &b->from[at];
    if (!touched(b, at)) {
        struct elm_node *copy = room(b, n->size);
        if (copy != NULL)
            memcpy(copy, n, n->size * sizeof(*n));
        return;
    }
    struct elm_node *own = room(b, 1);
    if (own == NULL)
        return;
    *own = *n;
    uint32_t start = b->count, kids = 0, kid = at + 1;
    for (uint32_t k = 0; k <= n->kids && !b->too_large;) {
        const struct elm_edit *e = edit_at(b, at, k);
        uint32_t skip = 0;
        if (e != NULL && k + e->removed <= n->kids) {
            struct elm_node *put = room(b, e->put_count);
            if (put != NULL && e->put_count > 0)
                memcpy(put, e->put, e->put_count * sizeof(*put));
            kids += e->put_kids;
            skip = e->removed;
            b->applied++;
        }
        for (uint32_t i = 0; i < skip; i++)
            kid += b->from[kid].size;
        k += skip;
        /* after a removal the next kid may begin an edit of its own */
        if (skip > 0)
            continue;
        if (k < n->kids) {
            emit(b, kid);
            kid += b->from[kid].size;
            kids++;
        }
        k++;
    }
    own->kids = (uint16_t)kids;
    own->size = b->count - start + 1;
    if (kids > UINT16_MAX)
        b->too_large = true;
}

enum elm_status elm_tree_edit(const struct elm_tree *t, const struct elm_edit *edits,
                              uint32_t edit_count, struct elm_tree *child,
                              struct elm_error *err)
{
    struct builder b = {.from = t->nodes, .edits = edits, .edit_count = edit_count};
    uint32_t more = 0;
    for (uint32_t i = 0; i < edit_count; i++) {
        const struct elm_edit *e = &edits[i];
        if (e->parent >= t->count || (uint32_t)e->first + e->removed > t->nodes[e->parent].kids)
            return elm_fail(err, ELM_RANGE, "edit %u is outside the program", i);
        if (e->put_count > ELM_NODES_MAX)
            return elm_fail(err, ELM_RANGE, "edit %u puts more than %d nodes", i, ELM_NODES_MAX);
        more += e->put_count;
    }
    b.cap = t->count + more;
    b.to = elm_malloc(b.cap * sizeof(*b.to));
    emit(&b, 0);
    if (b.too_large || b.applied != edit_count || b.count > ELM_NODES_MAX) {
        free(b.to);
        if (b.count > ELM_NODES_MAX)
            return elm_fail(err, ELM_RANGE, "a program of more than %d nodes", ELM_NODES_MAX);
        return elm_fail(err, ELM_RANGE, "edits overlap");
    }
    *child = (struct elm_tree){b.to, b.count};
    return ELM_OK;
}

struct elm_edit elm_edit_replace(const struct elm_tree *t, uint32_t at,
                                 const struct elm_node *put, uint32_t put_count)
{
    uint32_t parent = elm_tree_parent(t, at), kid = parent + 1;
    ELM_ASSERT(parent != UINT32_MAX);
    uint16_t k = 0;
    while (kid != at) {
        kid += t->nodes[kid].size;
        k++;
    }
    return (struct elm_edit){.parent = parent, .first = k, .removed = 1, .put_kids = 1,
                             .put_count = put_count, .put = put};
}

/* ---- packing ---- */

/* Decimals with up to three places are common; everything else keeps its eight bytes. */
#define REAL_RAW 255

static void encode_real(double value, struct elm_buf *out)
{
    double scale = 1;
    for (uint8_t places = 0; places <= 3; places++, scale *= 10) {
        double scaled = value * scale;
        if (scaled < 1e9 && scaled == floor(scaled) && scaled / scale == value) {
            elm_buf_byte(out, places);
            elm_buf_varint(out, (uint64_t)scaled);
            return;
        }
    }
    elm_buf_byte(out, REAL_RAW);
    elm_buf_add(out, &value, sizeof(value));
}

static double decode_real(struct elm_reader *r)
{
    static const double scales[] = {1, 10, 100, 1000};
    uint8_t places = elm_read_byte(r);
    double value = 0;
    if (places == REAL_RAW) {
        const void *bytes = elm_read_bytes(r, sizeof(value));
        if (bytes != NULL)
            memcpy(&value, bytes, sizeof(value));
    } else if (places < ELM_COUNT(scales)) {
        value = (double)elm_read_varint(r) / scales[places];
    } else {
        r->bad = true;
    }
    return value;
}

static bool varies(uint8_t kind)
{
    const struct elm_kind_info *info = elm_kind_info(kind);
    return info->kids_min != info->kids_max;
}

static bool declares(uint8_t kind)
{
    return kind == ELM_NODE_PARAM || kind == ELM_NODE_DECLARE || kind == ELM_NODE_FUNCTION;
}

static bool named(uint8_t kind)
{
    return declares(kind) || kind == ELM_NODE_VAR || kind == ELM_NODE_INDEX ||
           kind == ELM_NODE_CALL || kind == ELM_NODE_COMMENT || kind == ELM_NODE_TEXT;
}

static void encode_node(const struct elm_node *n, struct elm_buf *out)
{
    elm_buf_byte(out, n->kind);
    if (varies(n->kind))
        elm_buf_varint(out, n->kids);
    if (n->kind == ELM_NODE_INT)
        elm_buf_zigzag(out, n->i);
    else if (n->kind == ELM_NODE_REAL)
        encode_real(n->d, out);
    else if (named(n->kind))
        elm_buf_varint(out, n->name);
    if (declares(n->kind)) {
        elm_buf_byte(out, n->type);
        elm_buf_varint(out, n->dims[0]);
        elm_buf_varint(out, n->dims[1]);
    }
}

void elm_edits_encode(const struct elm_edit *edits, uint32_t edit_count, struct elm_buf *out)
{
    elm_buf_varint(out, edit_count);
    for (uint32_t i = 0; i < edit_count; i++) {
        const struct elm_edit *e = &edits[i];
        elm_buf_varint(out, e->parent);
        elm_buf_varint(out, e->first);
        elm_buf_varint(out, e->removed);
        elm_buf_varint(out, e->put_kids);
        for (uint32_t k = 0; k < e->put_count; k++)
            encode_node(&e->put[k], out);
    }
}

struct decoder {
    struct elm_reader r;
    struct elm_node nodes[ELM_NODES_MAX];
    uint32_t count;
};

static void decode_node(struct decoder *d, uint32_t depth)
{
    if (depth > DEPTH_MAX || d->count == ELM_NODES_MAX)
        d->r.bad = true;
    uint8_t kind = elm_read_byte(&d->r);
    if (kind == ELM_NODE_NONE || kind >= ELM_NODE_KINDS)
        d->r.bad = true;
    if (d->r.bad)
        return;
    uint32_t at = d->count++;
    struct elm_node *n = &d->nodes[at];
    *n = (struct elm_node){.kind = kind};
    uint64_t kids = varies(kind) ? elm_read_varint(&d->r)
                                 : (uint64_t)elm_kind_info(kind)->kids_min;
    if (kids > UINT16_MAX)
        d->r.bad = true;
    n->kids = (uint16_t)kids;
    if (kind == ELM_NODE_INT)
        n->i = elm_read_zigzag(&d->r);
    else if (kind == ELM_NODE_REAL)
        n->d = decode_real(&d->r);
    else if (named(kind))
        n->name = (uint32_t)elm_read_varint(&d->r);
    if (declares(kind)) {
        n->type = elm_read_byte(&d->r);
        n->dims[0] = (uint16_t)elm_read_varint(&d->r);
        n->dims[1] = (uint16_t)elm_read_varint(&d->r);
    }
    for (uint64_t i = 0; i < kids && !d->r.bad; i++)
        decode_node(d, depth + 1);
    d->nodes[at].size = d->count - at;
}

enum elm_status elm_edits_decode(const void *bytes, size_t len, struct elm_edit *edits,
                                 uint32_t *edit_count, struct elm_arena *arena,
                                 struct elm_error *err)
{
    struct decoder *d = elm_malloc(sizeof(*d));
    d->r = elm_reader(bytes, len);
    uint64_t count = elm_read_varint(&d->r);
    if (count > ELM_EDITS_MAX)
        d->r.bad = true;
    for (uint64_t i = 0; i < count && !d->r.bad; i++) {
        struct elm_edit *e = &edits[i];
        uint64_t parent = elm_read_varint(&d->r), first = elm_read_varint(&d->r),
                 removed = elm_read_varint(&d->r), put_kids = elm_read_varint(&d->r);
        if (parent > UINT32_MAX || first > UINT16_MAX || removed > UINT16_MAX ||
            put_kids > UINT16_MAX)
            d->r.bad = true;
        d->count = 0;
        for (uint64_t k = 0; k < put_kids && !d->r.bad; k++)
            decode_node(d, 0);
        *e = (struct elm_edit){.parent = (uint32_t)parent, .first = (uint16_t)first,
                               .removed = (uint16_t)removed, .put_kids = (uint16_t)put_kids,
                               .put_count = d->count};
        if (d->count > 0) {
            struct elm_node *put = elm_arena_alloc(arena, d->count * sizeof(*put));
            memcpy(put, d->nodes, d->count * sizeof(*put));
            e->put = put;
        }
    }
    bool bad = d->r.bad || d->r.at != d->r.end;
    free(d);
    if (bad)
        return elm_fail(err, ELM_CORRUPT, "malformed edit of %zu bytes", len);
    *edit_count = (uint32_t)count;
    return ELM_OK;
}
