/* sketch: random functions as typed trees, and what becomes of them. Private to src/learn. */
#ifndef ELM_LEARN_SKETCH_H
#define ELM_LEARN_SKETCH_H

#include "learn/learn.h"

#define SKETCH_NODES_MAX 256     /* room; a target has 6 to 60 nodes in its body */

struct sketch_param {
    uint32_t name;
    uint8_t type;                /* enum elm_type */
    struct elm_range range;
};

/* A head: `int f(int a[8], int n)`. */
struct sketch_head {
    uint8_t returns, param_count;
    struct sketch_param params[4];
};

/* A program in memory that is used again and again. */
struct sketch_tree {
    struct elm_node nodes[SKETCH_NODES_MAX];
    uint32_t count;
};

struct sketch_names {
    uint32_t f, a, b, c, d, n, x, y, z;
};
void sketch_names(struct elm_names *names, struct sketch_names *out);

enum sketch_family { SKETCH_INTS, SKETCH_ARRAYS, SKETCH_DOUBLES };
enum sketch_family sketch_family(struct elm_rng *rng);
void sketch_head(const struct sketch_names *names, struct elm_rng *rng, enum sketch_family family,
                 struct sketch_head *out);
/* Nodes of a body, and whether its shape is one that recurs (sketch_idiom.c) or any. */
struct sketch_size {
    uint32_t lo, hi;
    bool idiom;
};
/* Small ones and large ones: in those between semantic search is furthest from plain GP. */
struct sketch_size sketch_size(struct elm_rng *rng, enum sketch_family family);
/* Draws a body. False: too small or too large, draw again. Types are right but unchecked. */
bool sketch_body(const struct sketch_names *names, struct elm_rng *rng,
                 const struct sketch_head *head, struct sketch_size size, struct sketch_tree *out);

/* ---- boolean.c: straight-line programs with the fewest gates there are ---- */
#define BOOLEAN_GATES_MAX 4
struct boolean_table;
struct boolean_table *boolean_table_new(void);     /* free() */
/* Gates that a table of 16 rows needs at least; BOOLEAN_GATES_MAX + 1: more than that. */
uint32_t boolean_gates(const struct boolean_table *t, uint16_t function);
/* A function that needs 1 to BOOLEAN_GATES_MAX gates, as a program of so many; returns the number. */
uint32_t boolean_draw(const struct boolean_table *table, const struct sketch_names *names,
                      struct elm_rng *rng, struct sketch_head *head, struct sketch_tree *out);

/* `t` with `count` nodes in the place of the subtree at `at`. */
void sketch_replace(const struct sketch_tree *t, uint32_t at, const struct elm_node *put,
                    uint32_t count, struct sketch_tree *out);

/* A literal as people write them, two nodes at most; random: below SKETCH_LITERALS. */
#define SKETCH_LITERALS 24
uint32_t sketch_literal(uint32_t random, uint8_t type, struct elm_node out[2]);

/* The mistakes that are made: any; those in a name, a literal or an operator; mostly in names; mostly in
 * operators. */
enum sketch_mood { SKETCH_ANY, SKETCH_SMALL, SKETCH_NAMES, SKETCH_OPERATORS, SKETCH_MOODS };

/* What a mistake leaves: nothing, draw again; a program that elm_tree_check would pass and leave as it
 * is; one that it may not pass. */
enum sketch_mistake { SKETCH_NOTHING, SKETCH_SOUND, SKETCH_UNCHECKED };

/* `t` with one mistake. t must be checked (types set). */
enum sketch_mistake sketch_corrupt(struct elm_rng *rng, enum sketch_mood mood, const struct sketch_tree *t,
                                   struct sketch_tree *out);

/* Puts one to four constant locals that nothing reads first in the function. */
void sketch_decoys(struct elm_rng *rng, struct sketch_tree *t);

#endif
