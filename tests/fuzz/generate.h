/*
 * generate: random core C from a seed. Every operator, statement and conversion of the subset
 * comes up; loops are bounded, divisors, shifts and indices mostly tamed, so that most programs
 * end well. What C leaves open is never relied on: in one full expression no object is written
 * twice, or written and read, without a sequence point between, and an array handed to a function
 * is named once. Each file that includes this uses generate_program.
 */
#ifndef ELM_TESTS_GENERATE_H
#define ELM_TESTS_GENERATE_H

#include "elm/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GEN_VARS_MAX 60
#define GEN_FUNCTIONS_MAX 4

struct gen_var {
    char name[16];
    uint8_t type;
    uint16_t dims[2];
    uint16_t bound;        /* a loop counter: 0 <= value < bound, not assigned; else 0 */
};

struct gen_function {
    char name[16];
    uint8_t returns;
    bool recursive;        /* its first parameter counts down */
    uint32_t param_count;
    struct gen_var params[6];
};

struct gen {
    struct elm_rng rng;
    struct elm_buf *out;
    struct gen_var vars[GEN_VARS_MAX];
    uint32_t var_count, named;
    struct gen_function functions[GEN_FUNCTIONS_MAX];
    uint32_t function_count;
    const struct gen_function *self;
    uint64_t used, written;     /* variables of the full expression being written */
    uint32_t loops;
    int indent, left;           /* statements left */
};

static void gen_int(struct gen *g, int depth);
static void gen_real(struct gen *g, int depth);
static void gen_block(struct gen *g, int statements);

static bool gen_chance(struct gen *g, uint32_t percent)
{
    return elm_rng_below(&g->rng, 100) < percent;
}

static uint32_t gen_below(struct gen *g, uint32_t n)
{
    return elm_rng_below(&g->rng, n);
}

static void gen_put(struct gen *g, const char *text)
{
    elm_buf_add(g->out, text, strlen(text));
}

static void gen_line(struct gen *g)
{
    gen_put(g, "\n");
    for (int i = 0; i < g->indent; i++)
        gen_put(g, "    ");
}

static void gen_of(struct gen *g, uint8_t type, int depth)
{
    if (type == ELM_TYPE_DOUBLE)
        gen_real(g, depth);
    else
        gen_int(g, depth);
}

/* ---- variables ---- */

static struct gen_var *gen_declare(struct gen *g, uint8_t type)
{
    if (g->var_count == GEN_VARS_MAX)
        return NULL;
    struct gen_var *v = &g->vars[g->var_count++];
    *v = (struct gen_var){.type = type};
    snprintf(v->name, sizeof(v->name), "%c%u", "?idjv"[type], g->named++ % 100000);
    if (type >= ELM_TYPE_INT_ARRAY) {
        v->dims[0] = (uint16_t)(1 + gen_below(g, 6));
        v->dims[1] = gen_chance(g, 30) ? (uint16_t)(1 + gen_below(g, 4)) : 0;
    }
    return v;
}

/* A variable of `type` that may be read, or written, at this point of the full expression; -1:
 * none. It counts as read, or written, from here on. */
static int gen_pick(struct gen *g, uint8_t type, bool write)
{
    uint32_t found = 0;
    int pick = -1;
    for (uint32_t i = 0; i < g->var_count; i++) {
        bool taken = g->written >> i & 1 || (write && (g->used >> i & 1));
        if (g->vars[i].type != type || taken || (write && g->vars[i].bound != 0))
            continue;
        if (gen_below(g, ++found) == 0)
            pick = (int)i;
    }
    if (pick >= 0) {
        g->used |= UINT64_C(1) << pick;
        g->written |= write ? UINT64_C(1) << pick : 0;
    }
    return pick;
}

static void gen_index(struct gen *g, uint32_t n, int depth)
{
    gen_put(g, "[");
    uint32_t start = gen_below(g, GEN_VARS_MAX), counter = GEN_VARS_MAX;
    for (uint32_t k = 0; k < g->var_count; k++) {
        uint32_t i = (start + k) % g->var_count;
        if (g->vars[i].bound != 0 && g->vars[i].bound <= n && !(g->written >> i & 1))
            counter = i;
    }
    if (counter < GEN_VARS_MAX && gen_chance(g, 70)) {
        gen_put(g, g->vars[counter].name);
        g->used |= UINT64_C(1) << counter;
    } else if (depth <= 0 || gen_chance(g, 40)) {
        elm_buf_printf(g->out, "%u", gen_below(g, n));
    } else if (gen_chance(g, 95)) {
        gen_put(g, "((");
        gen_int(g, depth - 1);
        elm_buf_printf(g->out, ") & 1023) %% %u", n);
    } else {
        gen_int(g, depth - 1);
    }
    gen_put(g, "]");
}

static void gen_element(struct gen *g, int array, int depth)
{
    const struct gen_var *v = &g->vars[array];
    gen_put(g, v->name);
    gen_index(g, v->dims[0], depth);
    if (v->dims[1] != 0)
        gen_index(g, v->dims[1], depth);
}

/* Writes a scalar or an element of `type`; returns its variable, -1: there is none. */
static int gen_place(struct gen *g, uint8_t type, bool write, int depth)
{
    bool element = gen_chance(g, 40);
    for (int attempt = 0; attempt < 2; attempt++, element = !element) {
        int at = gen_pick(g, element ? (uint8_t)(type + 2) : type, write);
        if (at < 0)
            continue;
        if (element)
            gen_element(g, at, depth);
        else
            gen_put(g, g->vars[at].name);
        return at;
    }
    return -1;
}

/* ---- expressions ---- */

static void gen_int_literal(struct gen *g)
{
    static const uint32_t edges[] = {0x7fffffff, 0x40000000, 65535, 65536, 255, 31, 32, 1000003};
    if (gen_chance(g, 85))
        elm_buf_printf(g->out, "%u", gen_below(g, 11));
    else if (gen_chance(g, 50))
        elm_buf_printf(g->out, "%u", edges[gen_below(g, ELM_COUNT(edges))]);
    else
        elm_buf_printf(g->out, "0x%x", gen_below(g, 1u << 31));
}

static void gen_real_literal(struct gen *g)
{
    static const char *const edges[] = {"0.0", "1e300", "1e-300", "4294967296.0", "2147483647.5",
                                        "5e-324", "0.1", "1e22", "3.0", "9007199254740993.0"};
    if (gen_chance(g, 60))
        elm_buf_printf(g->out, "%u.%u", gen_below(g, 20), gen_below(g, 100));
    else if (gen_chance(g, 40))
        gen_put(g, edges[gen_below(g, ELM_COUNT(edges))]);
    else
        elm_buf_printf(g->out, "%.*e", (int)gen_below(g, 17), elm_rng_unit(&g->rng) * 100);
}

/* An array of its own for every array parameter of f, none named in this expression yet. */
static bool gen_arrays(struct gen *g, const struct gen_function *f, uint32_t *arrays)
{
    uint64_t taken = g->used;
    for (uint32_t i = 0; i < f->param_count; i++) {
        const struct gen_var *p = &f->params[i];
        uint32_t k = 0;
        if (p->type < ELM_TYPE_INT_ARRAY)
            continue;
        while (k < g->var_count &&
               (g->vars[k].type != p->type || g->vars[k].dims[1] != p->dims[1] ||
                g->vars[k].dims[0] < p->dims[0] || (taken >> k & 1)))
            k++;
        if (k == g->var_count)
            return false;
        taken |= UINT64_C(1) << k;
        arrays[i] = k;
    }
    /* what it may write to is not to be read beside the call */
    g->written |= taken & ~g->used;
    g->used = taken;
    return true;
}

static void gen_call(struct gen *g, const struct gen_function *f, const uint32_t *arrays,
                     int depth)
{
    elm_buf_printf(g->out, "%s(", f->name);
    for (uint32_t i = 0; i < f->param_count; i++) {
        const struct gen_var *p = &f->params[i];
        gen_put(g, i > 0 ? ", " : "");
        if (i == 0 && f->recursive && f == g->self) {
            elm_buf_printf(g->out, "%s - 1", p->name);
        } else if (i == 0 && f->recursive) {
            gen_put(g, "(");
            gen_int(g, depth - 1);
            gen_put(g, ") & 3");
        } else if (p->type >= ELM_TYPE_INT_ARRAY) {
            gen_put(g, g->vars[arrays[i]].name);
        } else {
            gen_of(g, gen_chance(g, 90) ? p->type : ELM_TYPE_INT, depth - 1);
        }
    }
    gen_put(g, ")");
}

static bool gen_some_call(struct gen *g, uint8_t returns, int depth)
{
    uint32_t start = gen_below(g, GEN_FUNCTIONS_MAX), arrays[6];
    for (uint32_t k = 0; k < GEN_FUNCTIONS_MAX; k++) {
        const struct gen_function *f = &g->functions[(start + k) % GEN_FUNCTIONS_MAX];
        bool known = f < &g->functions[g->function_count] || (f == g->self && f->recursive);
        if (!known || f->returns != returns || !gen_arrays(g, f, arrays))
            continue;
        gen_call(g, f, arrays, depth);
        return true;
    }
    return false;
}

/* A scalar that stands for an operand within `depth` levels. */
static bool gen_leaf(struct gen *g, uint8_t type, int depth)
{
    if (gen_chance(g, 25))
        return false;
    return gen_place(g, type, false, depth - 1) >= 0;
}

/* An expression that also changes something: ++, --, =, op=. */
static bool gen_effect(struct gen *g, uint8_t type, int depth)
{
    static const char *const int_ops[] = {"=", "+=", "-=", "*=", "&=", "|=", "^="};
    static const char *const real_ops[] = {"=", "+=", "-=", "*=", "/="};
    uint32_t how = gen_below(g, 6);
    size_t start = g->out->len;
    gen_put(g, how == 0 ? "(++" : how == 1 ? "(--" : "(");
    if (gen_place(g, type, true, depth - 1) < 0) {
        g->out->len = start;
        return false;
    }
    if (how == 2 || how == 3) {
        gen_put(g, how == 2 ? "++" : "--");
    } else if (how > 3) {
        const char *op = type == ELM_TYPE_INT ? int_ops[gen_below(g, ELM_COUNT(int_ops))]
                                              : real_ops[gen_below(g, ELM_COUNT(real_ops))];
        elm_buf_printf(g->out, " %s ", op);
        gen_of(g, type, depth - 1);
    }
    gen_put(g, ")");
    return true;
}

/* `a && b`, `a || b`, `a ? b : c`: what is right of the sequence point may use again what is
 * written left of it. */
static void gen_sequenced(struct gen *g, uint8_t type, int depth)
{
    uint64_t used = g->used, written = g->written, all_used, all_written;
    bool choice = type == ELM_TYPE_DOUBLE || gen_chance(g, 50);
    gen_put(g, "(");
    gen_of(g, gen_chance(g, 70) ? ELM_TYPE_INT : ELM_TYPE_DOUBLE, depth - 1);
    all_used = g->used;
    all_written = g->written;
    gen_put(g, choice ? " ? " : gen_chance(g, 50) ? " && " : " || ");
    for (int i = 0; i < 1 + choice; i++) {
        gen_put(g, i > 0 ? " : " : "");
        g->used = used;
        g->written = written;
        if (choice)
            gen_of(g, type, depth - 1);
        else
            gen_of(g, gen_chance(g, 70) ? ELM_TYPE_INT : ELM_TYPE_DOUBLE, depth - 1);
        all_used |= g->used;
        all_written |= g->written;
    }
    g->used = all_used;
    g->written = all_written;
    gen_put(g, ")");
}

static void gen_compare(struct gen *g, int depth)
{
    static const char *const ops[] = {"<", "<=", ">", ">=", "==", "!="};
    uint8_t left = gen_chance(g, 60) ? ELM_TYPE_INT : ELM_TYPE_DOUBLE;
    uint8_t right = gen_chance(g, 85) ? left : (uint8_t)(3 - left);
    gen_put(g, "(");
    gen_of(g, left, depth - 1);
    elm_buf_printf(g->out, " %s ", ops[gen_below(g, ELM_COUNT(ops))]);
    gen_of(g, right, depth - 1);
    gen_put(g, ")");
}

static void gen_int_binary(struct gen *g, int depth)
{
    static const char *const ops[] = {"+", "-", "*", "&", "|", "^", "/", "%", "<<", ">>"};
    uint32_t op = gen_below(g, ELM_COUNT(ops));
    bool tamed = op >= 6 && gen_chance(g, 92);
    gen_put(g, "(");
    gen_int(g, depth - 1);
    elm_buf_printf(g->out, " %s ", ops[op]);
    gen_put(g, tamed ? "((" : "");
    gen_int(g, depth - 1);
    if (tamed)
        gen_put(g, op >= 8 ? ") & 31)" : gen_chance(g, 70) ? ") & 15 | 1)" : ") | 2)");
    gen_put(g, ")");
}

static void gen_to_int(struct gen *g, int depth)
{
    if (gen_chance(g, 20)) {
        gen_put(g, "(int)(");
        gen_of(g, gen_chance(g, 70) ? ELM_TYPE_INT : ELM_TYPE_DOUBLE, depth - 1);
        gen_put(g, ")");
        return;
    }
    gen_put(g, "(int)fmod(");
    gen_real(g, depth - 1);
    gen_put(g, ", 1000.0)");
}

static void gen_int(struct gen *g, int depth)
{
    if (depth <= 0 || gen_chance(g, 20)) {
        if (!gen_leaf(g, ELM_TYPE_INT, depth))
            gen_int_literal(g);
        return;
    }
    uint32_t how = gen_below(g, 100);
    if (how < 45) {
        gen_int_binary(g, depth);
    } else if (how < 55) {
        gen_compare(g, depth);
    } else if (how < 65) {
        gen_sequenced(g, ELM_TYPE_INT, depth);
    } else if (how < 75) {
        elm_buf_printf(g->out, "%c(", "-~!"[gen_below(g, 3)]);
        gen_int(g, depth - 1);
        gen_put(g, ")");
    } else if (how < 78) {
        gen_put(g, "(!");
        gen_real(g, 0);
        gen_put(g, ")");
    } else if (how < 83) {
        gen_to_int(g, depth);
    } else if (how < 87) {
        gen_put(g, "abs(");
        gen_int(g, depth - 1);
        gen_put(g, ")");
    } else if (how < 93 ? !gen_some_call(g, ELM_TYPE_INT, depth)
                        : !gen_effect(g, ELM_TYPE_INT, depth)) {
        gen_int_literal(g);
    }
}

static void gen_math(struct gen *g, int depth)
{
    static const char *const names[] = {"sqrt", "fabs", "floor", "ceil", "sin", "cos", "tan",
                                        "atan", "exp", "log", "tanh", "cbrt", "round",
                                        "atan2", "pow", "fmin", "fmax", "fmod", "hypot"};
    uint32_t f = gen_below(g, ELM_COUNT(names));
    elm_buf_printf(g->out, "%s(", names[f]);
    gen_of(g, gen_chance(g, 80) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT, depth - 1);
    if (f >= 13) {
        gen_put(g, ", ");
        gen_of(g, gen_chance(g, 80) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT, depth - 1);
    }
    gen_put(g, ")");
}

static void gen_real_binary(struct gen *g, int depth)
{
    uint8_t left = gen_chance(g, 80) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
    gen_put(g, "(");
    gen_of(g, left, depth - 1);
    elm_buf_printf(g->out, " %c ", "+-*/"[gen_below(g, 4)]);
    /* an int on the left alone would make an int of it all */
    gen_of(g, left == ELM_TYPE_INT || gen_chance(g, 80) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT,
           depth - 1);
    gen_put(g, ")");
}

static void gen_real(struct gen *g, int depth)
{
    if (depth <= 0 || gen_chance(g, 20)) {
        if (!gen_leaf(g, ELM_TYPE_DOUBLE, depth))
            gen_real_literal(g);
        return;
    }
    uint32_t how = gen_below(g, 100);
    if (how < 50) {
        gen_real_binary(g, depth);
    } else if (how < 65) {
        gen_math(g, depth);
    } else if (how < 75) {
        gen_sequenced(g, ELM_TYPE_DOUBLE, depth);
    } else if (how < 83) {
        gen_put(g, "-(");
        gen_real(g, depth - 1);
        gen_put(g, ")");
    } else if (how < 89) {
        gen_put(g, "(double)(");
        gen_of(g, gen_chance(g, 70) ? ELM_TYPE_INT : ELM_TYPE_DOUBLE, depth - 1);
        gen_put(g, ")");
    } else if (how < 94 ? !gen_some_call(g, ELM_TYPE_DOUBLE, depth)
                        : !gen_effect(g, ELM_TYPE_DOUBLE, depth)) {
        gen_real_literal(g);
    }
}

/* A whole expression: nothing is used or written before it. */
static void gen_full(struct gen *g, uint8_t type, int depth)
{
    g->used = g->written = 0;
    gen_of(g, type, depth);
}

/* ---- statements ---- */

static void gen_type(struct gen *g, uint8_t type)
{
    gen_put(g, type == ELM_TYPE_NONE ? "void " : type % 2 == 1 ? "int " : "double ");
}

static void gen_dims(struct gen *g, const struct gen_var *v)
{
    if (v->dims[0] != 0)
        elm_buf_printf(g->out, "[%u]", v->dims[0]);
    if (v->dims[1] != 0)
        elm_buf_printf(g->out, "[%u]", v->dims[1]);
}

static void gen_list(struct gen *g, uint8_t type, uint32_t n, uint32_t m)
{
    uint32_t given = gen_chance(g, 70) ? n : 1 + gen_below(g, n);
    gen_put(g, "{");
    for (uint32_t i = 0; i < given; i++) {
        gen_put(g, i > 0 ? ", " : "");
        /* the order of initialisers is open, so none may change anything */
        if (m != 0) {
            gen_list(g, type, m, 0);
        } else if (type == ELM_TYPE_DOUBLE) {
            gen_real_literal(g);
        } else {
            g->used = g->written = 0;
            if (!gen_leaf(g, ELM_TYPE_INT, 0))
                gen_int_literal(g);
        }
    }
    gen_put(g, "}");
}

static void gen_declaration(struct gen *g)
{
    uint8_t type = (uint8_t)(1 + gen_below(g, 4));
    if (gen_chance(g, 40))
        type = (uint8_t)(1 + gen_below(g, 2));
    struct gen_var *v = gen_declare(g, type);
    if (v == NULL)
        return;
    /* a name is in scope in its own initialiser, where it must not be used */
    g->var_count--;
    gen_type(g, type);
    gen_put(g, v->name);
    gen_dims(g, v);
    if (type >= ELM_TYPE_INT_ARRAY && gen_chance(g, 90)) {
        gen_put(g, " = ");
        gen_list(g, (uint8_t)(type - 2), v->dims[0], v->dims[1]);
    } else if (type < ELM_TYPE_INT_ARRAY && gen_chance(g, 95)) {
        gen_put(g, " = ");
        gen_full(g, gen_chance(g, 90) ? type : ELM_TYPE_INT, 3);
    }
    g->var_count++;
    gen_put(g, ";");
}

static void gen_assignment(struct gen *g)
{
    static const char *const ops[] = {"=", "=", "=", "+=", "-=", "*=", "/=",
                                      "%=", "&=", "|=", "^=", "<<=", ">>="};
    uint8_t type = (uint8_t)(1 + gen_below(g, 2));
    g->used = g->written = 0;
    int place = gen_place(g, type, true, 2);
    if (place < 0) {
        gen_put(g, ";");
        return;
    }
    /* its own old value may be read on the right, but not changed there */
    g->written &= ~(UINT64_C(1) << place);
    uint32_t op = gen_below(g, type == ELM_TYPE_INT ? ELM_COUNT(ops) : 7);
    if (op == 3 && gen_chance(g, 50)) {
        gen_put(g, gen_chance(g, 50) ? "++;" : "--;");
        return;
    }
    elm_buf_printf(g->out, " %s ", ops[op]);
    if (type == ELM_TYPE_INT && op >= 6 && gen_chance(g, 92)) {
        gen_put(g, "(");
        gen_int(g, 3);
        gen_put(g, op >= 11 ? ") & 31;" : ") | 1;");
        return;
    }
    /* ints take doubles and the other way round, at the risk of a value beyond int */
    bool mixed = op >= 7 ? false : gen_chance(g, 8);
    gen_of(g, mixed ? (uint8_t)(3 - type) : type, 4);
    gen_put(g, ";");
}

static void gen_if(struct gen *g)
{
    gen_put(g, "if (");
    gen_full(g, gen_chance(g, 85) ? ELM_TYPE_INT : ELM_TYPE_DOUBLE, 3);
    gen_put(g, ") ");
    gen_block(g, 1 + (int)gen_below(g, 3));
    if (gen_chance(g, 40)) {
        gen_put(g, " else ");
        if (gen_chance(g, 30) && g->left > 0) {
            g->left--;
            gen_if(g);
        } else {
            gen_block(g, 1 + (int)gen_below(g, 2));
        }
    }
}

static void gen_for(struct gen *g)
{
    uint32_t vars = g->var_count, n = 1 + gen_below(g, 6);
    struct gen_var *v = gen_declare(g, ELM_TYPE_INT);
    if (v == NULL || gen_chance(g, 5)) {
        g->var_count = vars;
        gen_put(g, "for (;;) {");
        g->loops++;
        gen_block(g, 2);
        g->loops--;
        gen_put(g, " break; }");
        return;
    }
    v->bound = (uint16_t)n;
    if (gen_chance(g, 80))
        elm_buf_printf(g->out, "for (int %s = 0; %s < %u; %s++) ", v->name, v->name, n, v->name);
    else
        elm_buf_printf(g->out, "for (int %s = %u; %s >= 0; %s -= 1) ", v->name, n - 1, v->name,
                       v->name);
    g->loops++;
    gen_block(g, 1 + (int)gen_below(g, 3));
    g->loops--;
    g->var_count = vars;
}

static void gen_while(struct gen *g)
{
    uint32_t vars = g->var_count;
    struct gen_var *v = gen_declare(g, ELM_TYPE_INT);
    if (v == NULL) {
        gen_put(g, ";");
        return;
    }
    bool is_do = gen_chance(g, 40);
    char name[16];
    strcpy(name, v->name);
    v->bound = UINT16_MAX;
    elm_buf_printf(g->out, "int %s = %u; ", name, gen_below(g, 6));
    gen_put(g, is_do ? "do " : "while (");
    for (int i = 0; i < 2; i++) {
        if ((i == 0) == is_do) {
            g->loops++;
            gen_block(g, 1 + (int)gen_below(g, 3));
            g->loops--;
            gen_put(g, is_do ? " while (" : "");
            continue;
        }
        elm_buf_printf(g->out, "%s-- > 0", name);
        if (gen_chance(g, 40)) {
            gen_put(g, " && ");
            gen_full(g, ELM_TYPE_INT, 2);
        }
        gen_put(g, is_do ? ");" : ") ");
    }
    g->vars[vars].bound = UINT16_MAX;
}

static void gen_return(struct gen *g)
{
    gen_put(g, "return");
    if (g->self->returns != ELM_TYPE_NONE) {
        gen_put(g, " ");
        gen_full(g, gen_chance(g, 95) ? g->self->returns : ELM_TYPE_INT, 3);
    }
    gen_put(g, ";");
}

static void gen_jump(struct gen *g)
{
    gen_put(g, "if (");
    gen_full(g, ELM_TYPE_INT, 2);
    gen_put(g, ") { ");
    if (g->loops > 0 && gen_chance(g, 80))
        gen_put(g, gen_chance(g, 50) ? "break;" : "continue;");
    else
        gen_return(g);
    gen_put(g, " }");
}

static void gen_odd(struct gen *g)
{
    switch (gen_below(g, 5)) {
    case 0: gen_put(g, "/* odd */"); break;
    case 1: gen_put(g, ";"); break;
    case 2: gen_block(g, 2); break;
    case 3: gen_full(g, ELM_TYPE_INT, 2); gen_put(g, ";"); break;
    default:
        g->used = g->written = 0;
        if (!gen_some_call(g, ELM_TYPE_NONE, 2))
            gen_put(g, "/* no call */");
        gen_put(g, ";");
    }
}

static void gen_statement(struct gen *g)
{
    g->left--;
    gen_line(g);
    uint32_t how = gen_below(g, 100);
    bool deep = g->indent > 5;
    if (how < 20)
        gen_declaration(g);
    else if (how < 55 || deep)
        gen_assignment(g);
    else if (how < 68)
        gen_if(g);
    else if (how < 80)
        gen_for(g);
    else if (how < 86)
        gen_while(g);
    else if (how < 92)
        gen_jump(g);
    else
        gen_odd(g);
}

static void gen_block(struct gen *g, int statements)
{
    uint32_t vars = g->var_count;
    gen_put(g, "{");
    g->indent++;
    while (statements-- > 0 && g->left > 0)
        gen_statement(g);
    g->indent--;
    gen_line(g);
    gen_put(g, "}");
    g->var_count = vars;
}

/* ---- functions ---- */

static void gen_function_text(struct gen *g, struct gen_function *f, int statements)
{
    uint32_t kept = g->named;
    g->self = f;
    g->var_count = g->loops = 0;
    g->left = statements;
    gen_type(g, f->returns);
    elm_buf_printf(g->out, "%s(", f->name);
    for (uint32_t i = 0; i < f->param_count; i++) {
        struct gen_var *p = &f->params[i];
        gen_put(g, i > 0 ? ", " : "");
        gen_type(g, p->type);
        bool star = p->type >= ELM_TYPE_INT_ARRAY && p->dims[1] == 0 && gen_chance(g, 50);
        elm_buf_printf(g->out, star ? "*%s" : "%s", p->name);
        if (!star)
            gen_dims(g, p);
        g->vars[g->var_count++] = *p;
    }
    gen_put(g, f->param_count == 0 ? "void)\n{" : ")\n{");
    g->indent = 1;
    if (f->recursive) {
        gen_line(g);
        elm_buf_printf(g->out, "if (%s <= 0) { ", f->params[0].name);
        gen_return(g);
        gen_put(g, " }");
    }
    while (g->left > 0)
        gen_statement(g);
    if (f->returns != ELM_TYPE_NONE) {
        gen_line(g);
        gen_return(g);
    }
    gen_put(g, "\n}\n\n");
    g->named = kept + 100;
}

static void gen_signature(struct gen *g, struct gen_function *f, uint32_t params, uint8_t returns)
{
    *f = (struct gen_function){.returns = returns, .param_count = params};
    g->var_count = 0;
    for (uint32_t i = 0; i < params; i++) {
        uint8_t type = (uint8_t)(1 + gen_below(g, gen_chance(g, 50) ? 4 : 2));
        f->params[i] = *gen_declare(g, type);
    }
    f->recursive = params > 0 && f->params[0].type == ELM_TYPE_INT && gen_chance(g, 25);
    if (f->recursive)
        f->params[0].bound = UINT16_MAX;
}

/* Appends a program and fills its entry; names carry `tag`, so that many fit in one file. */
static void generate_program(uint64_t seed, uint32_t tag, struct elm_buf *out, struct elm_io *io)
{
    struct gen *g = elm_calloc(1, sizeof(*g));
    g->rng = elm_rng(seed, 0x9e4e);
    g->out = out;
    struct gen_function entry;
    uint32_t helpers = gen_below(g, GEN_FUNCTIONS_MAX);
    for (uint32_t i = 0; i < helpers; i++) {
        struct gen_function *f = &g->functions[i];
        gen_signature(g, f, gen_below(g, 5), (uint8_t)gen_below(g, 3));
        snprintf(f->name, sizeof(f->name), "g%u_%u", tag % 100000, i);
        gen_function_text(g, f, 3 + (int)gen_below(g, 8));
        g->function_count++;
    }
    gen_signature(g, &entry, 1 + gen_below(g, 6), (uint8_t)gen_below(g, 3));
    entry.recursive = false;
    entry.params[0].bound = 0;
    snprintf(entry.name, sizeof(entry.name), "f%u", tag % 100000);
    gen_function_text(g, &entry, 5 + (int)gen_below(g, 25));
    memset(io, 0, sizeof(*io));
    strcpy(io->entry, entry.name);
    io->returns = entry.returns;
    io->param_count = entry.param_count;
    for (uint32_t i = 0; i < entry.param_count; i++) {
        const struct gen_var *p = &entry.params[i];
        struct elm_io_param *to = &io->params[i];
        strcpy(to->name, p->name);
        to->type = p->type;
        to->dims[0] = p->dims[0];
        to->dims[1] = p->dims[1];
        to->direction = p->type >= ELM_TYPE_INT_ARRAY ? (uint8_t)gen_below(g, 3) : ELM_IO_IN;
    }
    free(g);
}

#endif
