/*
 * yardstick: the two programs of Lehman et al. 2022, section 3.1, parity of four bits and the quadratic
 * polynomial, are what elm's operators are measured with by single mutations. Nothing like them is
 * trained on: no sum of four different scalars in any place, and no function that computes either.
 */
#include "learn/generator.h"

#include <math.h>
#include <string.h>

#define FOUR 4

struct sum {
    const struct sketch_tree *t;
    uint32_t names[FOUR];
    uint32_t count;              /* different scalars met, as far as FOUR */
    uint32_t depth;              /* of locals looked into */
};

static void add_name(struct sum *s, uint32_t name)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->names[i] == name)
            return;
    }
    if (s->count < FOUR)
        s->names[s->count++] = name;
}

static bool is_sum(const struct elm_node *n)
{
    return n->kind == ELM_NODE_ADD || n->kind == ELM_NODE_SUB || n->kind == ELM_NODE_XOR;
}

/* Modulo 2, a sum, a difference and an exclusive or are one. */
static void add_terms(struct sum *s, const struct elm_node *n)
{
    if (n->kind == ELM_NODE_NEG) {
        add_terms(s, n + 1);
    } else if (is_sum(n)) {
        add_terms(s, n + 1);
        add_terms(s, n + 1 + n[1].size);
    } else if (n->kind == ELM_NODE_VAR) {
        for (uint32_t i = 0; i < s->t->count && s->depth < FOUR; i++) {
            const struct elm_node *d = &s->t->nodes[i];
            if (d->kind != ELM_NODE_DECLARE || d->name != n->name || d->kids == 0 || !is_sum(d + 1))
                continue;
            s->depth++;
            add_terms(s, d + 1);
            s->depth--;
            return;
        }
        add_name(s, n->name);
    }
}

bool yardstick_sum(const struct sketch_tree *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        struct sum s = {.t = t};
        if (is_sum(&t->nodes[i]))
            add_terms(&s, &t->nodes[i]);
        if (s.count == FOUR)
            return true;
    }
    return false;
}

static double number_at(const struct formula_slot *slot, const uint8_t *in)
{
    double x;
    int32_t v;
    if (slot->real) {
        memcpy(&x, in + slot->offset, sizeof(x));
        return x;
    }
    memcpy(&v, in + slot->offset, sizeof(v));
    return v;
}

static bool is_parity(struct elm_generator *g)
{
    for (uint32_t row = 0; row < 1u << FOUR; row++) {
        uint8_t in[GENERATOR_IN_BYTES_MAX] = {0}, out[8];
        int32_t want = 0, got;
        for (uint32_t k = 0; k < FOUR; k++) {
            int32_t bit = row >> k & 1;
            memcpy(in + g->slots.in[k].offset, &bit, sizeof(bit));
            want ^= bit;
        }
        if (!generator_run(g, in, 0, GENERATOR_FUEL, out))
            return false;
        memcpy(&got, out, sizeof(got));
        if (got != want)
            return false;
    }
    return true;
}

/* a x^2 + b x + c on all shown cases? */
static bool is_quadratic(const struct elm_generator *g, uint32_t x, uint32_t a, uint32_t b,
                         uint32_t c)
{
    const struct elm_problem *p = &g->task.problem;
    for (uint32_t i = 0; i < g->task.case_count[ELM_SET_SHOWN]; i++) {
        double v[FOUR];
        for (uint32_t k = 0; k < FOUR; k++)
            v[k] = number_at(&g->slots.in[k], g->in[0] + (size_t)i * p->io.in_bytes);
        double got = number_at(&g->slots.out[0], g->want[0] + (size_t)i * p->io.out_bytes);
        double want = v[a] * v[x] * v[x] + v[b] * v[x] + v[c];
        if (fabs(got - want) > 1e-9 * (1 + fabs(want)))
            return false;
    }
    return true;
}

bool yardstick_computes(struct elm_generator *g)
{
    bool ints = !g->slots.out[0].real;
    if (g->slots.in_count != FOUR)
        return false;
    for (uint32_t k = 0; k < FOUR; k++) {
        if (g->slots.in[k].array)
            return false;
        ints = ints && !g->slots.in[k].real;
    }
    if (ints && is_parity(g))
        return true;
    /* of four different numbers below four the last is the others, xored */
    for (uint32_t i = 0; i < FOUR * FOUR * FOUR; i++) {
        uint32_t x = i % FOUR, a = i / FOUR % FOUR, b = i / (FOUR * FOUR);
        if (x != a && x != b && a != b && is_quadratic(g, x, a, b, x ^ a ^ b))
            return true;
    }
    return false;
}
