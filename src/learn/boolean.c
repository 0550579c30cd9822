/*
 * boolean: straight-line programs over four words with the fewest gates, found by trying every chain.
 * Gates are a & b, a & ~b, ~a & b, a ^ b, a | b; functions are normal: all inputs 0 give 0. The counts
 * are known (Knuth 2011, 7.1.2), and tested.
 */
#include "learn/sketch.h"

#include <stdlib.h>
#include <string.h>

#define INPUTS 4
#define FUNCTIONS 65536
#define CHAIN_MAX (INPUTS + BOOLEAN_GATES_MAX)

struct gate {
    uint8_t a, b, form;          /* places in the chain; of `forms` */
};
enum { FORM_AND, FORM_AND_NOT, FORM_NOT_AND, FORM_XOR, FORM_OR, FORMS };

struct boolean_table {
    uint8_t gates[FUNCTIONS];    /* BOOLEAN_GATES_MAX + 1: more */
    struct gate chains[FUNCTIONS][BOOLEAN_GATES_MAX];
    struct gate chain[CHAIN_MAX];
    uint16_t values[CHAIN_MAX];
};

/* Of the orders of one chain only that in which a gate uses the one before it, or comes after it in
 * rank, is tried. */
static void extend(struct boolean_table *t, uint32_t length, uint32_t least)
{
    uint8_t used = (uint8_t)(length - INPUTS + 1);
    for (uint32_t i = 1; i < length; i++) {
        for (uint32_t j = 0; j < i; j++) {
            uint32_t a = t->values[i], b = t->values[j], rank = (i * CHAIN_MAX + j) * 8;
            const uint16_t made[FORMS] = {(uint16_t)(a & b), (uint16_t)(a & ~b),
                                          (uint16_t)(~a & b), (uint16_t)(a ^ b), (uint16_t)(a | b)};
            for (uint32_t k = 0; k < FORMS; k++) {
                t->chain[length] = (struct gate){(uint8_t)i, (uint8_t)j, (uint8_t)k};
                if (t->gates[made[k]] > used) {
                    t->gates[made[k]] = used;
                    memcpy(t->chains[made[k]], t->chain + INPUTS, used * sizeof(t->chain[0]));
                }
                if (used == BOOLEAN_GATES_MAX || (i < length - 1 && rank + k < least))
                    continue;
                t->values[length] = made[k];
                extend(t, length + 1, rank + k + 1);
            }
        }
    }
}

struct boolean_table *boolean_table_new(void)
{
    static const uint16_t inputs[INPUTS] = {0xaaaa, 0xcccc, 0xf0f0, 0xff00};
    struct boolean_table *t = elm_calloc(1, sizeof(*t));
    memset(t->gates, BOOLEAN_GATES_MAX + 1, sizeof(t->gates));
    t->gates[0] = 0;
    for (uint32_t i = 0; i < INPUTS; i++) {
        t->values[i] = inputs[i];
        t->gates[inputs[i]] = 0;
    }
    extend(t, INPUTS, 0);
    return t;
}

uint32_t boolean_gates(const struct boolean_table *t, uint16_t function)
{
    return t->gates[function];
}

/* ---- a chain as a program ---- */

static void put(struct sketch_tree *t, uint8_t kind, uint16_t kids, uint32_t size)
{
    t->nodes[t->count++] = (struct elm_node){.kind = kind, .type = ELM_TYPE_INT, .kids = kids,
                                             .size = size};
}

static void put_operand(struct sketch_tree *t, uint32_t name, bool negated)
{
    if (negated)
        put(t, ELM_NODE_BIT_NOT, 1, 2);
    put(t, ELM_NODE_VAR, 0, 1);
    t->nodes[t->count - 1].name = name;
}

static void put_gate(struct sketch_tree *t, const struct gate *g, const uint32_t *names)
{
    static const uint8_t kinds[FORMS] = {ELM_NODE_AND, ELM_NODE_AND, ELM_NODE_AND, ELM_NODE_XOR,
                                         ELM_NODE_OR};
    bool first = g->form == FORM_NOT_AND, second = g->form == FORM_AND_NOT;
    put(t, kinds[g->form], 2, 3u + first + second);
    put_operand(t, names[g->a], first);
    put_operand(t, names[g->b], second);
}

uint32_t boolean_draw(const struct boolean_table *table, const struct sketch_names *names,
                      struct elm_rng *rng, struct sketch_head *head, struct sketch_tree *out)
{
    uint32_t places[CHAIN_MAX] = {names->a, names->b, names->c, names->d}, gates;
    uint16_t function;
    do {
        function = (uint16_t)(2 * elm_rng_below(rng, FUNCTIONS / 2));
        gates = table->gates[function];
    } while (gates == 0 || gates > BOOLEAN_GATES_MAX);
    *head = (struct sketch_head){.returns = ELM_TYPE_INT, .param_count = INPUTS};
    out->count = 0;
    put(out, ELM_NODE_PROGRAM, 1, 0);
    put(out, ELM_NODE_FUNCTION, INPUTS + 1, 0);
    out->nodes[1].name = names->f;
    for (uint32_t i = 0; i < INPUTS; i++) {
        head->params[i] = (struct sketch_param){places[i], ELM_TYPE_INT, {-INT32_MAX, INT32_MAX}};
        put(out, ELM_NODE_PARAM, 0, 1);
        out->nodes[out->count - 1].name = places[i];
    }
    uint32_t block = out->count;
    put(out, ELM_NODE_BLOCK, (uint16_t)gates, 0);
    out->nodes[0].type = out->nodes[block].type = ELM_TYPE_NONE;
    for (uint32_t g = 0; g < gates; g++) {
        bool last = g + 1 == gates;
        uint32_t at = out->count;
        put(out, last ? ELM_NODE_RETURN : ELM_NODE_DECLARE, 1, 0);
        if (last)
            out->nodes[at].type = ELM_TYPE_NONE;
        else
            out->nodes[at].name = places[INPUTS + g] = ELM_NAMES_FRESH + g;
        put_gate(out, &table->chains[function][g], places);
        out->nodes[at].size = out->count - at;
    }
    out->nodes[block].size = out->count - block;
    out->nodes[1].size = out->count - 1;
    out->nodes[0].size = out->count;
    return gates;
}
