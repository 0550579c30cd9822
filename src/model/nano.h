/*
 * nano: inside the tree-edit model: how a program becomes rows, how an edit becomes tokens, and what
 * may follow what. include/elm/nano.h says what it is for.
 */
#ifndef MODEL_NANO_H
#define MODEL_NANO_H

#include "elm/nano.h"
#include "elm/tape.h"

#include <string.h>

#define NANO_NODES_MAX 512       /* of a program that are read */
#define NANO_CASES 8             /* shown cases that are read */
#define NANO_HOLES_MAX 5
#define NANO_HOLE_TOKENS 12
#define NANO_HOLE_NODES 40
#define NANO_SLOTS 24
#define NANO_OWN 8               /* literals of the program that are not in the list */
#define NANO_CALLABLE 4
#define NANO_COPIES 4
#define NANO_LITERALS 64

/* Below ELM_NODE_KINDS: a node of that kind. */
enum nano_token {
    NANO_COPY = ELM_NODE_KINDS,  /* the old subtree, its kids 1, 2, 3 */
    NANO_DELETE = NANO_COPY + NANO_COPIES,
    NANO_BEFORE,                 /* a statement comes before the old one, or first in a block */
    NANO_AFTER,
    NANO_END,                    /* of a block */
    NANO_IF_ELSE,
    NANO_MORE, NANO_LESS,        /* the old int plus, minus one */
    NANO_SLOT,
    NANO_MATH = NANO_SLOT + NANO_SLOTS,
    NANO_FUNCTION = NANO_MATH + ELM_MATH_FUNCTIONS,
    NANO_LITERAL = NANO_FUNCTION + NANO_CALLABLE,
    NANO_OWN_LITERAL = NANO_LITERAL + NANO_LITERALS,
    NANO_TOKENS = NANO_OWN_LITERAL + NANO_OWN,
};
#define NANO_LOGITS 208          /* NANO_TOKENS, rounded up */

/* What may stand somewhere. */
enum nano_need {
    NANO_NOTHING,                /* nowhere to edit */
    NANO_INT, NANO_REAL, NANO_NUMBER,
    NANO_LVALUE, NANO_LVALUE_INT, NANO_LVALUE_REAL,
    NANO_EFFECT,                 /* an assignment and the like */
    NANO_STATEMENT,
    NANO_BLOCK,
    NANO_LIST,                   /* inside a block: a statement or the end */
    NANO_NEEDS,
};

struct nano_mask {
    uint64_t w[4];
};
static inline bool nano_mask_has(const struct nano_mask *m, uint32_t t)
{
    return m->w[t / 64] >> (t % 64) & 1;
}
static inline void nano_mask_add(struct nano_mask *m, uint32_t t)
{
    m->w[t / 64] |= 1ull << (t % 64);
}

/* ---- a program, walked once ---- */

enum {
    NANO_IN_LOOP = 1,
    NANO_TAIL = 2,               /* the function needs it to end in a return */
    NANO_EDITABLE = 4,
    NANO_FIXED = 8,              /* an endless loop that stands for the return */
};
struct nano_place {
    uint16_t parent, kid;        /* tree nodes; which kid */
    uint16_t function;
    uint16_t scope;              /* newest declaration in sight; 0: none */
    uint16_t before;             /* of a declaration: the one before it */
    uint8_t depth, need, flags;
    uint8_t slot;                /* of what it names or declares; NANO_SLOTS: none */
};
struct nano_program {
    const struct elm_tree *tree;
    const struct elm_names *names;
    struct nano_place *places;   /* by tree node */
    uint32_t cap;
    bool real, math;             /* doubles, math.h functions are used */
    struct elm_node own[NANO_OWN];
    uint32_t own_count;
    uint32_t callable[NANO_CALLABLE];    /* FUNCTION nodes with scalar parameters */
    uint32_t callable_count;
};
/* `editable` as of elm_tree_editable; NULL: all. The tree must be checked, and have at most 65,535
 * nodes. May hold another program; zero-initialised is empty. */
void nano_program_read(struct nano_program *p, const struct elm_tree *t,
                       const struct elm_names *names, const uint8_t *editable);
void nano_program_release(struct nano_program *p);
/* What may stand in place of n, kid of `parent`. */
uint8_t nano_need(const struct elm_node *parent, uint32_t kid, const struct elm_node *n);
/* Names in scope at a node in order of declaration, parameters first. */
uint32_t nano_scope(const struct nano_program *p, uint32_t at, struct elm_symbol *out,
                    uint32_t max);
/* The literal of the list that a node is; NANO_LITERALS: none. Values of the list. */
uint32_t nano_literal_find(const struct elm_node *n);
extern const double nano_literals[NANO_LITERALS];
extern const uint8_t nano_literal_reals;     /* the first of the doubles */

struct nano_copy {
    uint32_t at, size;
    uint8_t kind, type;
    bool jumps;                  /* has a break or continue of a loop around it */
};
/* What may stand in one node's place. */
struct nano_spot {
    uint32_t at;
    uint8_t need, flags;
    uint8_t returns;
    struct elm_symbol symbols[NANO_SLOTS];
    uint32_t symbol_count;
    struct nano_copy copies[NANO_COPIES];
    uint8_t cost[NANO_TOKENS];   /* tokens at least, itself included; 0: never */
    struct nano_mask allowed[NANO_NEEDS], fits[8], root, jumps;
    uint8_t minimum[NANO_NEEDS]; /* tokens at least */
    const struct nano_program *program;
};
void nano_spot_read(struct nano_spot *s, const struct nano_program *p, uint32_t at);

/* ---- one hole's replacement, token by token ---- */

struct nano_frame {
    uint8_t kind, need, kid, kids;
    uint8_t types[2];
    uint8_t node;
    bool loop;
};
/* Copied subtrees are one node of kind NONE, i = which copy. */
struct nano_hole {
    const struct nano_spot *spot;
    uint8_t tokens[NANO_HOLE_TOKENS];
    uint8_t count, node_count, depth;
    uint8_t pending;             /* tokens at least that are still to come */
    uint8_t form;                /* NANO_DELETE, _BEFORE, _AFTER, or 0: a replacement */
    uint8_t need, parent, kid;   /* of the next token: NANO_NOTHING when it is complete */
    uint16_t size, room;         /* nodes with the copies; at most */
    bool keeps;                  /* the old kids stay in order: holes in them may follow */
    struct nano_frame frames[2 * NANO_HOLE_TOKENS];         /* `depth` of them */
    struct elm_node nodes[2 * NANO_HOLE_TOKENS + 2];
};
/* What is in use of it. */
static inline void nano_hole_copy(struct nano_hole *to, const struct nano_hole *from)
{
    memcpy(to, from, offsetof(struct nano_hole, frames) + from->depth * sizeof(from->frames[0]));
    memcpy(to->nodes, from->nodes, from->node_count * sizeof(from->nodes[0]));
}
void nano_hole_open(struct nano_hole *h, const struct nano_spot *s, uint32_t room);
void nano_hole_mask(const struct nano_hole *h, struct nano_mask *out);
/* The token must be in the mask. */
void nano_hole_put(struct nano_hole *h, uint32_t token);
static inline bool nano_hole_done(const struct nano_hole *h)
{
    return h->need == NANO_NOTHING;
}
/* The first tree node that the next hole may be at; *not: one that it may not (UINT32_MAX: none). */
uint32_t nano_hole_next(const struct nano_hole *h, uint32_t *not);

/* The edits of a child; their nodes live in `arena`. Returns how many. */
uint32_t nano_edits(const struct nano_program *p, const struct nano_hole *holes, uint32_t count,
                    struct elm_arena *arena, struct elm_edit *edits);

/* ---- the edit that turns a program into another one ---- */

struct nano_label {
    struct nano_spot spots[NANO_HOLES_MAX];
    struct nano_hole holes[NANO_HOLES_MAX];
    uint32_t count;
    bool whole;                  /* false: a part of what differs */
};
struct nano_differ;              /* memory */
struct nano_differ *nano_differ_new(void);
void nano_differ_free(struct nano_differ *d);
/* Holes of the smallest difference, as many as there may be. False: none can be said. */
bool nano_differ_find(struct nano_differ *d, const struct nano_program *from,
                      const struct elm_tree *to, struct elm_rng *rng, struct nano_label *out);

/* ---- rows ---- */

#define NANO_IDS 12
#define NANO_NODE_FEATURES 224
#define NANO_CASE_FEATURES 176
#define NANO_RELATIONS 16

/* Embedding rows: where each kind of fact begins. */
enum {
    NANO_ID_KIND = 1,            /* 0: nothing */
    NANO_ID_TYPE = NANO_ID_KIND + ELM_NODE_KINDS,
    NANO_ID_SLOT = NANO_ID_TYPE + 8,
    NANO_ID_LITERAL = NANO_ID_SLOT + NANO_SLOTS + 1,
    NANO_ID_CALL = NANO_ID_LITERAL + NANO_LITERALS + NANO_OWN + 1,
    NANO_ID_PARENT = NANO_ID_CALL + ELM_MATH_FUNCTIONS + NANO_CALLABLE + 1,
    NANO_ID_KID = NANO_ID_PARENT + ELM_NODE_KINDS,
    NANO_ID_DEPTH = NANO_ID_KID + 8,
    NANO_ID_POSITION = NANO_ID_DEPTH + 16,
    NANO_ID_NEED = NANO_ID_POSITION + 128,
    NANO_ID_FLAGS = NANO_ID_NEED + NANO_NEEDS,
    NANO_ID_CASE = NANO_ID_FLAGS + 16,
    NANO_ID_START = NANO_ID_CASE + NANO_CASES + 2,
    NANO_ID_POINT,
    NANO_ID_TOKEN,
    NANO_ID_NEXT = NANO_ID_TOKEN + NANO_TOKENS,           /* need of the next token */
    NANO_ID_OVER = NANO_ID_NEXT + NANO_NEEDS + 1,         /* what the next token will be a kid of */
    NANO_ID_OVER_KID = NANO_ID_OVER + ELM_NODE_KINDS + 1,
    NANO_ID_STEP = NANO_ID_OVER_KID + 8,
    NANO_ID_HOLE = NANO_ID_STEP + NANO_HOLE_TOKENS + 2,
    NANO_ID_COUNT = NANO_ID_HOLE + NANO_HOLES_MAX + 1,
};

/* What is read of a program before anything is decided. */
struct nano_prefix {
    uint32_t case_count, node_count;
    float cases[NANO_CASES * NANO_CASE_FEATURES];
    float *features;             /* [node_count][NANO_NODE_FEATURES] */
    uint16_t (*ids)[NANO_IDS];   /* [node_count] */
    uint16_t *at, *parent, *end, *previous;   /* of the tree; rows; UINT16_MAX: none */
    uint8_t *slot, *need;
    uint16_t *row;               /* by tree node; UINT16_MAX: not read */
    uint32_t cap, row_cap;
    bool opaque;
};
void nano_prefix_release(struct nano_prefix *p);

/* Of a number: is there, sign, size, low bits. */
#define NANO_NUMBER_FEATURES 10
void nano_number(union elm_value v, bool real, float *out);

struct nano_reader;              /* memory of reading: tape, cases */
struct nano_reader *nano_reader_new(void);
void nano_reader_free(struct nano_reader *r);
/* Reads a program with what its runs over the shown cases say. */
void nano_read(struct nano_reader *r, const struct nano_program *p, const struct elm_io *io,
               uint64_t fuel, const struct elm_evidence *evidence, bool opaque,
               struct elm_vm_memory *vm, struct nano_prefix *out);
/* Fills features of nodes: how often what they name is used; from the tape. */
void nano_reads(const struct nano_program *p, struct nano_prefix *out);
void nano_features(const struct elm_tape *tape, const struct nano_program *p, struct nano_prefix *out);

/* One row of the edit so far. */
#define NANO_STEP_IDS 8
struct nano_step {
    uint16_t ids[NANO_STEP_IDS];
    uint16_t node;               /* row of the node that is pointed at; UINT16_MAX: none */
    uint16_t end;                /* of its subtree */
};
void nano_step_start(struct nano_step *s);
void nano_step_point(struct nano_step *s, const struct nano_prefix *p, const struct nano_hole *h,
                     uint32_t hole);
void nano_step_token(struct nano_step *s, const struct nano_prefix *p, const struct nano_hole *h,
                     uint32_t hole);

/* Relation of row j as row i sees it. */
enum {
    NANO_REL_FAR, NANO_REL_SELF, NANO_REL_PARENT, NANO_REL_KID, NANO_REL_NEXT, NANO_REL_PREVIOUS,
    NANO_REL_ABOVE, NANO_REL_BELOW, NANO_REL_SAME_NAME, NANO_REL_CASE, NANO_REL_OF_CASE,
    NANO_REL_SPOT, NANO_REL_IN_SPOT, NANO_REL_STEP, NANO_REL_LAST_STEP, NANO_REL_OUTSIDE,
};
void nano_relations(const struct nano_prefix *p, uint32_t stride, uint8_t *out);
void nano_step_relations(const struct nano_prefix *p, const struct nano_step *s, uint8_t *out);

/* ---- a lesson: what is learnt from one program ---- */

#define NANO_STEPS_MAX (1 + NANO_HOLES_MAX * (NANO_HOLE_TOKENS + 1))
struct elm_nano_lesson {
    struct nano_prefix prefix;
    struct nano_step steps[NANO_STEPS_MAX];
    struct nano_mask masks[NANO_STEPS_MAX];   /* of tokens */
    uint16_t targets[NANO_STEPS_MAX];         /* token, or row of a node; node_count: stop */
    uint16_t from[NANO_STEPS_MAX], not[NANO_STEPS_MAX];    /* pointers: the first row allowed */
    bool point[NANO_STEPS_MAX], learn[NANO_STEPS_MAX];
    uint32_t step_count;
    float coefficient;
    bool empty;
};

#endif
