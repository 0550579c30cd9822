/*
 * terms over the variables a, b, c and 0, 1, +, * of a Boolean ring, and the rewrites between them.
 * A term is one number: its symbols in prefix order, three bits each, the first lowest. Rewrites
 * go both ways and a term has at most NODES_MAX symbols, so terms are the nodes of a finite
 * undirected graph, and the distance of two terms is a fact.
 */
#ifndef TERMS_H
#define TERMS_H

#include <stdint.h>
#include <string.h>

#define NODES_MAX 11
#define NEIGHBOURS_MAX 64

typedef uint64_t term;
enum symbol { S_END, S_A, S_B, S_C, S_ZERO, S_ONE, S_PLUS, S_TIMES };

/* A term taken apart: size[i] symbols make up the subterm at i. */
struct parts {
    int count;
    uint8_t symbol[NODES_MAX], size[NODES_MAX];
};

static inline int is_variable(int symbol)
{
    return symbol >= S_A && symbol <= S_C;
}

static inline int is_operator(int symbol)
{
    return symbol >= S_PLUS;
}

static inline void take_apart(term t, struct parts *p)
{
    memset(p, 0, sizeof(*p));
    for (; t != 0; t >>= 3)
        p->symbol[p->count++] = t & 7;
    for (int i = p->count - 1; i >= 0; i--) {
        int left = is_operator(p->symbol[i]) ? p->size[i + 1] : 0;
        p->size[i] = (uint8_t)(left > 0 ? 1 + left + p->size[i + 1 + left] : 1);
    }
}

/* Its value where the variables are bits: 64 models at once. Equal terms agree in all of them. */
static inline uint64_t term_value(term t, const uint64_t variables[3])
{
    struct parts p;
    uint64_t stack[NODES_MAX];
    int top = 0;
    take_apart(t, &p);
    for (int i = p.count - 1; i >= 0; i--) {
        int s = p.symbol[i];
        if (is_operator(s)) {
            uint64_t x = stack[--top], y = stack[top - 1];
            stack[top - 1] = s == S_PLUS ? x ^ y : x & y;
        } else {
            stack[top++] = is_variable(s) ? variables[s - S_A] : s == S_ONE ? ~0ull : 0;
        }
    }
    return stack[0];
}

/* ---- rewrites ---- */

/* The term in the making: pieces of the old one, and symbols. */
struct rewrite {
    const struct parts *p;
    term t, *list;
    int at, size, count;      /* where the rewritten subterm stands, symbols so far, neighbours */
};

static inline void put(struct rewrite *r, int symbol)
{
    if (r->size < NODES_MAX)
        r->t |= (term)symbol << 3 * r->size;
    r->size++;
}

static inline void put_range(struct rewrite *r, int from, int count)
{
    for (int i = from; i < from + count; i++)
        put(r, r->p->symbol[i]);
}

static inline void put_part(struct rewrite *r, int at)
{
    put_range(r, at, r->p->size[at]);
}

static inline void begin(struct rewrite *r)
{
    r->t = 0;
    r->size = 0;
    put_range(r, 0, r->at);
}

static inline void end(struct rewrite *r)
{
    int after = r->at + r->p->size[r->at];
    put_range(r, after, r->p->count - after);
    if (r->size > NODES_MAX)
        return;
    for (int i = 0; i < r->count; i++) {
        if (r->list[i] == r->t)
            return;
    }
    if (r->count < NEIGHBOURS_MAX)
        r->list[r->count++] = r->t;
}

static inline int same(const struct parts *p, int x, int y)
{
    return p->size[x] == p->size[y] &&
           memcmp(p->symbol + x, p->symbol + y, p->size[x]) == 0;
}

/* `o x y`, where x and y are subterms or, below 0, symbols. */
static inline void put_pair(struct rewrite *r, int o, int x, int y)
{
    put(r, o);
    if (x < 0)
        put(r, -x);
    else
        put_part(r, x);
    if (y < 0)
        put(r, -y);
    else
        put_part(r, y);
}

/* x o y = y o x;  (x o y) o z = x o (y o z) */
static inline void rearrange(struct rewrite *r, int o, int left, int right)
{
    const struct parts *p = r->p;
    if (!same(p, left, right)) {
        begin(r);
        put_pair(r, o, right, left);
        end(r);
    }
    if (p->symbol[left] == o) {
        int x = left + 1, y = x + p->size[x];
        begin(r);
        put(r, o);
        put_part(r, x);
        put_pair(r, o, y, right);
        end(r);
    }
    if (p->symbol[right] == o) {
        int y = right + 1, z = y + p->size[y];
        begin(r);
        put(r, o);
        put_pair(r, o, left, y);
        put_part(r, z);
        end(r);
    }
}

/* x * (y + z) = x * y + x * z */
static inline void distribute(struct rewrite *r, int o, int left, int right)
{
    const struct parts *p = r->p;
    if (o == S_TIMES && p->symbol[right] == S_PLUS) {
        int y = right + 1, z = y + p->size[y];
        begin(r);
        put(r, S_PLUS);
        put_pair(r, S_TIMES, left, y);
        put_pair(r, S_TIMES, left, z);
        end(r);
    }
    if (o == S_PLUS && p->symbol[left] == S_TIMES && p->symbol[right] == S_TIMES &&
        same(p, left + 1, right + 1)) {
        int x = left + 1;
        begin(r);
        put(r, S_TIMES);
        put_part(r, x);
        put_pair(r, S_PLUS, x + p->size[x], right + 1 + p->size[right + 1]);
        end(r);
    }
}

/* x + 0 = x;  x * 1 = x;  v + v = 0;  v * v = v;  v * 0 = 0, where v is a variable: to the right */
static inline void shorten(struct rewrite *r, int o, int left, int right)
{
    const struct parts *p = r->p;
    int x = p->symbol[left], y = p->symbol[right], twice = is_variable(x) && x == y;
    if (y == (o == S_PLUS ? S_ZERO : S_ONE) || (o == S_TIMES && twice)) {
        begin(r);
        put_part(r, left);
        end(r);
    }
    if ((o == S_PLUS && twice) || (o == S_TIMES && is_variable(x) && y == S_ZERO)) {
        begin(r);
        put(r, S_ZERO);
        end(r);
    }
}

/* The same five to the left. */
static inline void lengthen(struct rewrite *r)
{
    int symbol = r->p->symbol[r->at];
    if (r->p->count + 2 > NODES_MAX)
        return;
    begin(r);
    put_pair(r, S_PLUS, r->at, -S_ZERO);
    end(r);
    begin(r);
    put_pair(r, S_TIMES, r->at, -S_ONE);
    end(r);
    if (is_variable(symbol)) {
        begin(r);
        put_pair(r, S_TIMES, r->at, r->at);
        end(r);
    }
    for (int v = S_A; v <= S_C && symbol == S_ZERO; v++) {
        begin(r);
        put_pair(r, S_PLUS, -v, -v);
        end(r);
        begin(r);
        put_pair(r, S_TIMES, -v, -S_ZERO);
        end(r);
    }
}

/* All that one rewrite makes of a term, each once, in an order that depends on the term alone. */
static inline int neighbours(term t, term list[NEIGHBOURS_MAX])
{
    struct parts p;
    struct rewrite r = {.p = &p, .list = list};
    take_apart(t, &p);
    for (r.at = 0; r.at < p.count; r.at++) {
        int o = p.symbol[r.at];
        if (is_operator(o)) {
            int left = r.at + 1, right = left + p.size[left];
            rearrange(&r, o, left, right);
            distribute(&r, o, left, right);
            shorten(&r, o, left, right);
        }
        lengthen(&r);
    }
    return r.count;
}

#endif
