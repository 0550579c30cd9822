/* frequencies: counting edits, and the table as a GGUF. */
#include "elm/frequencies.h"

#include "elm/gguf.h"

#include <math.h>
#include <string.h>

#define ARCHITECTURE "elm-frequencies"

static bool same(const struct elm_node *a, const struct elm_node *b)
{
    bool literal = a->kind == ELM_NODE_INT || a->kind == ELM_NODE_REAL;
    if (a->kind != b->kind || a->size != b->size || a->kids != b->kids)
        return false;
    if (literal || a->kind == ELM_NODE_VAR || a->kind == ELM_NODE_INDEX ||
        a->kind == ELM_NODE_CALL || a->kind == ELM_NODE_DECLARE)
        return a->i == b->i;
    return true;
}

static bool same_tree(const struct elm_node *a, const struct elm_node *b)
{
    if (a->size != b->size)
        return false;
    for (uint32_t i = 0; i < a->size; i++) {
        if (!same(a + i, b + i))
            return false;
    }
    return true;
}

/* Goes down to where they differ, as long as that is in one kid only. */
static void narrow(const struct elm_node **a, const struct elm_node **b)
{
    for (;;) {
        const struct elm_node *x = *a + 1, *y = *b + 1, *left = NULL, *right = NULL;
        uint32_t differ = 0;
        if ((*a)->kind != (*b)->kind || (*a)->kids != (*b)->kids || (*a)->kids == 0)
            return;
        for (uint32_t k = 0; k < (*a)->kids; k++, x += x->size, y += y->size) {
            if (same_tree(x, y))
                continue;
            differ++;
            left = x;
            right = y;
        }
        if (differ != 1)
            return;
        *a = left;
        *b = right;
    }
}

static enum elm_literal_change change_of(double from, double to)
{
    if (to == from + 1)
        return ELM_LITERAL_MORE;
    if (to == from - 1)
        return ELM_LITERAL_LESS;
    if (to == 2 * from)
        return ELM_LITERAL_TWICE;
    if (2 * to == from)
        return ELM_LITERAL_HALF;
    return to > from / 2 && to < 2 * from ? ELM_LITERAL_NEAR : ELM_LITERAL_OTHER;
}

static void count_pair(struct elm_frequencies *f, const struct elm_node *a,
                       const struct elm_node *b)
{
    if (a != NULL && b != NULL)
        narrow(&a, &b);
    f->replace[a == NULL ? ELM_NODE_NONE : a->kind][b == NULL ? ELM_NODE_NONE : b->kind]++;
    if (a == NULL || b == NULL || a->kind != b->kind)
        return;
    if (a->kind == ELM_NODE_INT)
        f->literal[change_of((double)a->i, (double)b->i)]++;
    if (a->kind == ELM_NODE_REAL)
        f->literal[change_of(a->d, b->d)]++;
}

void elm_frequencies_count(struct elm_frequencies *counts, const struct elm_tree *t,
                           const struct elm_edit *edits, uint32_t edit_count)
{
    for (uint32_t i = 0; i < edit_count; i++) {
        const struct elm_edit *e = &edits[i];
        const struct elm_node *put = e->put;
        for (uint32_t k = 0; k < e->removed || k < e->put_kids; k++) {
            bool old = k < e->removed, comes = k < e->put_kids;
            count_pair(counts,
                       old ? &t->nodes[elm_tree_kid(t, e->parent, e->first + k)] : NULL,
                       comes ? put : NULL);
            put += comes ? put->size : 0;
        }
    }
}

enum elm_status elm_frequencies_write(const struct elm_frequencies *f, const char *path,
                                      struct elm_error *err)
{
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    uint64_t table[2] = {ELM_FREQUENCY_KINDS, ELM_FREQUENCY_KINDS};
    uint64_t literals[1] = {ELM_LITERAL_CHANGES};
    elm_gguf_put_string(w, "general.architecture", ELM_STR(ARCHITECTURE));
    elm_gguf_put_string(w, "general.name", ELM_STR("elm-frequencies"));
    elm_gguf_put_tensor(w, "replace", ELM_GGUF_F32, 2, table, f->replace);
    elm_gguf_put_tensor(w, "literal", ELM_GGUF_F32, 1, literals, f->literal);
    enum elm_status status = elm_gguf_write(w, path, err);
    elm_gguf_writer_free(w);
    return status;
}

static enum elm_status read_tensor(const struct elm_gguf *g, const char *name, uint64_t rows,
                                   uint64_t cols, float *out, struct elm_error *err)
{
    const struct elm_gguf_tensor *t = elm_gguf_tensor(g, name);
    if (t == NULL)
        return elm_fail(err, ELM_CORRUPT, "tensor '%s' is missing", name);
    if (t->type != ELM_GGUF_F32 || t->dim_count > 2 || t->dims[0] != cols || t->dims[1] != rows)
        return elm_fail(err, ELM_OUTSIDE, "tensor '%s' is not %llu x %llu: made for other nodes; train "
                        "anew with elm train --trainer frequencies", name, (unsigned long long)rows,
                        (unsigned long long)cols);
    memcpy(out, t->data, rows * cols * sizeof(float));
    for (uint64_t i = 0; i < rows * cols; i++) {
        if (!isfinite(out[i]) || out[i] > 60)
            return elm_fail(err, ELM_CORRUPT, "tensor '%s' has a number that is no logarithm of a "
                            "count", name);
    }
    return ELM_OK;
}

enum elm_status elm_frequencies_read(const char *path, struct elm_frequencies *out,
                                     struct elm_error *err)
{
    struct elm_gguf *g;
    struct elm_str architecture = {"", 0};
    ELM_TRY(elm_gguf_open(path, &g, err));
    elm_gguf_string(g, "general.architecture", &architecture);
    enum elm_status status = ELM_OK;
    if (!elm_str_equal(architecture, ELM_STR(ARCHITECTURE)))
        status = elm_fail(err, ELM_OUTSIDE, "general.architecture is '%.*s', not '" ARCHITECTURE "'",
                          (int)architecture.len, architecture.ptr);
    if (status == ELM_OK)
        status = read_tensor(g, "replace", ELM_FREQUENCY_KINDS, ELM_FREQUENCY_KINDS,
                             out->replace[0], err);
    if (status == ELM_OK)
        status = read_tensor(g, "literal", 1, ELM_LITERAL_CHANGES, out->literal, err);
    elm_gguf_close(g);
    return status;
}
