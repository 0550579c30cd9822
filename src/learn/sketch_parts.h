/* sketch_parts: what bodies are sketched with: nodes, names, expressions, statements, idioms.
 * Private to src/learn/sketch*.c. A function that says nothing else adds nodes at the end. */
#ifndef ELM_LEARN_SKETCH_PARTS_H
#define ELM_LEARN_SKETCH_PARTS_H

#include "learn/sketch.h"

#define SKETCH_LENGTH 8          /* of arrays; n is 1 to SKETCH_LENGTH */
#define SKETCH_NAMES_MAX 16

struct sketch_name {
    uint32_t name;
    uint8_t type;
    bool wanted;                 /* has a value that nobody has read */
    bool fixed;                  /* a parameter or a loop's index: not assigned to */
    bool index;                  /* runs over the elements of an array */
    bool before, after;          /* the element before, after that of the index is one, too */
};

struct sketch {
    uint64_t rng;                /* state of splitmix64: drawn from too often for elm_rng */
    const struct sketch_names *known;
    const struct sketch_head *head;
    struct elm_node *nodes;
    uint32_t count;
    struct sketch_name names[SKETCH_NAMES_MAX];
    uint32_t name_count, locals, loops;
    bool full;
    bool elements;               /* in an idiom's loop over an array */
};

uint32_t sketch_below(struct sketch *s, uint32_t n);
bool sketch_chance(struct sketch *s, uint32_t percent);
bool sketch_is_array(uint8_t type);
uint8_t sketch_element_type(uint8_t type);

/* ---- nodes and names ---- */
uint32_t sketch_put(struct sketch *s, uint8_t kind, uint8_t type, uint16_t kids);
void sketch_close(struct sketch *s, uint32_t at);
void sketch_put_name(struct sketch *s, uint8_t kind, uint8_t type, uint32_t name);
void sketch_put_int(struct sketch *s, int64_t v);
void sketch_put_literal(struct sketch *s, uint8_t type, bool zero);
struct sketch_name *sketch_add_name(struct sketch *s, uint32_t name, uint8_t type);
/* A name whose value or elements may stand in an expression of `type`; wanted ones first. */
struct sketch_name *sketch_draw_name(struct sketch *s, uint8_t type, bool mixed);
/* A local that may be set; NULL if there is none. */
struct sketch_name *sketch_draw_local(struct sketch *s);
bool sketch_has_array(const struct sketch *s);
/* Is the last parameter n? */
bool sketch_has_n(const struct sketch *s);
/* An array among the parameters; NULL if there is none. */
const struct sketch_name *sketch_draw_array(struct sketch *s);
/* name[index + by]. */
void sketch_put_index(struct sketch *s, const struct sketch_name *array, uint32_t index, int by);

/* ---- expressions of about `budget` nodes ---- */
void sketch_value(struct sketch *s, uint8_t type, uint32_t budget);
/* A name, or where `literal` allows it also a number. mixed: ints among doubles. */
void sketch_leaf(struct sketch *s, uint8_t type, bool literal, bool mixed);
void sketch_operand(struct sketch *s, uint8_t type, uint32_t budget, bool literal, bool mixed);
void sketch_comparison(struct sketch *s, uint32_t budget);
void sketch_condition(struct sketch *s, uint32_t budget);

/* ---- statements; each adds one kid to the block that is open ---- */
/* budget 0: of a number. */
uint32_t sketch_declare(struct sketch *s, uint8_t type, uint32_t budget);
/* t = value, t += value, t = t * c + value. fold: t must be read. */
void sketch_assign(struct sketch *s, struct sketch_name *n, uint32_t budget, bool fold);
void sketch_if_assign(struct sketch *s, struct sketch_name *n, uint32_t budget, bool fold);
/* if (value > t) { t = value; } */
void sketch_keep_extreme(struct sketch *s, struct sketch_name *n, uint32_t budget);
void sketch_if_return(struct sketch *s, uint32_t budget);

/* ---- sketch_idiom.c ---- */
/* A body as an exercise has one: guards, cases, scans, searches, changes of an array. */
void sketch_idiom(struct sketch *s);

#endif
