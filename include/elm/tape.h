/*
 * tape: runs of a program over the shown cases, recorded event by event, and the values wanted of
 * each event, computed back from the wanted outputs. This is semantic back-propagation (Pawlak,
 * Wieloch & Krawiec 2015) over the dynamic dependence graph, so it goes through assignments,
 * arrays, loops and calls; branches are tried the other way round (angelic debugging: Chandra et
 * al. 2011).
 *
 * An event is one evaluation of an expression node, or one store. What an event computed depends
 * on earlier events only; wants are handed from the outputs back to them. A want says which values
 * of one event, everything else being equal, would make the case's outputs right.
 */
#ifndef ELM_TAPE_H
#define ELM_TAPE_H

#include "elm/code.h"

struct elm_evidence;

enum elm_want_kind {
    ELM_WANT_NONE,         /* nothing is known, or nothing asked */
    ELM_WANT_NEVER,        /* no value here makes the case right */
    ELM_WANT_BITS,         /* (v ^ value) & mask == 0; mask ~0: exactly value */
    ELM_WANT_RANGE,        /* lo <= v <= hi */
    ELM_WANT_DIFFER,       /* v != lo; lo 0: true as a condition */
    ELM_WANT_THROUGH,      /* `v op other` (side 0) or `other op v` (side 1) gives value */
    ELM_WANT_RESIDUE,      /* v - lo is a multiple of hi; 0 <= lo < hi */
    ELM_WANT_REAL,         /* v close to d[0] */
    ELM_WANT_REAL_RANGE,   /* d[0] <= v <= d[1] */
    ELM_WANT_REAL_DIFFER,  /* v != d[0] */
};
struct elm_want {
    uint8_t kind;          /* enum elm_want_kind */
    uint8_t op, side;      /* THROUGH: enum elm_kind */
    int32_t other;
    union {
        struct { uint32_t value, mask; };
        struct { int64_t lo, hi; };
        double d[2];
    };
};
bool elm_want_met(const struct elm_want *w, union elm_value v);
/* Is it a constraint that some value meets? */
bool elm_want_useful(const struct elm_want *w);
/* The want of operand `side` of an operation of which `w` is wanted, when the operands were a and
 * b. real: the operands are doubles. exact: bits that the operand can't mend make it NEVER, else
 * they are left out. */
struct elm_want elm_want_operand(const struct elm_want *w, uint8_t op, bool real, uint32_t side,
                                 union elm_value a, union elm_value b, bool exact);
/* The same for math.h functions. */
struct elm_want elm_want_argument(const struct elm_want *w, uint32_t function, uint32_t side,
                                  union elm_value a, union elm_value b);
/* A want on a converted value, as a want on the value before: int to double, double to int. */
struct elm_want elm_want_unconvert(const struct elm_want *w, bool was_real);
/* Both at once, as far as one want can say it. */
struct elm_want elm_want_both(const struct elm_want *a, const struct elm_want *b, bool exact);

/* What the VM computes: false where it would stop. real: the operands are doubles; comparisons,
 * NOT and casts to int give ints. Unary operators ignore b. */
bool elm_value_apply(uint8_t op, bool real, union elm_value a, union elm_value b,
                     union elm_value *out);
union elm_value elm_value_math(uint32_t function, union elm_value a, union elm_value b);

enum elm_tape_form {
    ELM_TAPE_CONSTANT,
    ELM_TAPE_READ,         /* of a cell; from[0] is the store it reads, 0: an input */
    ELM_TAPE_COMPUTE,      /* from its operands */
    ELM_TAPE_CHOOSE,       /* ?: from[0] the condition, from[1] the value */
    ELM_TAPE_CALL,         /* from[0] is the returned value */
    ELM_TAPE_STORE,        /* of from[0] in a cell */
};
struct elm_tape_event {
    union elm_value value;
    uint16_t node;
    uint8_t form;          /* enum elm_tape_form */
    uint8_t real : 1;      /* value is a double */
    uint8_t unset : 1;     /* a declaration without a value */
    uint8_t condition : 1; /* decides a branch */
    uint32_t from[2];      /* earlier events, 0: none */
    uint32_t cell;         /* stores and reads */
    uint32_t before;       /* stores: the store to the cell before this one, 0: none */
    uint32_t frame;        /* of the function that was running */
};
struct elm_tape_cell {
    union elm_value initial;
    uint32_t last;         /* store, 0: none */
    bool set;              /* has an initial value */
};
struct elm_tape_binding {
    uint32_t cell, length; /* length 0: a scalar */
    uint32_t cols;
};

#define ELM_TAPE_CASES_MAX 128
struct elm_tape {
    uint32_t case_count, node_count;
    uint32_t failing;                  /* cases with a wrong output */
    bool failed[ELM_TAPE_CASES_MAX];   /* which */
    uint32_t first[ELM_TAPE_CASES_MAX + 1];    /* the events of case c are first[c] .. first[c + 1] - 1 */
    bool bits;                         /* the program computes by & | ^ ~: each bit counts, and a
                                          want may leave some out */
    struct elm_tape_event *events;     /* events[0] is not used */
    struct elm_want *wants;            /* of each event */
    uint32_t event_count, event_cap;
    struct elm_tape_cell *cells;
    uint32_t cell_count, cell_cap;
    struct elm_tape_binding *bindings; /* [frame + slot] */
    uint32_t binding_count, binding_cap;
    uint16_t *slots;                   /* by node: place of its name in the function's frames */
    /* The event of a node that matters in a case: the last one whose value is not what is wanted
     * and could be, else the last one with a useful want; 0: none. [node * case_count + case] */
    uint32_t *chosen;
    uint32_t *wrong;                   /* by node: cases whose chosen event is not as wanted */
};
/* Records t on the first cases of the evidence (at most ELM_TAPE_CASES_MAX), and computes the
 * wants. Runs that end in undefined behaviour or are too long give none. The tape may have held
 * another; zero-initialised is empty.
 * Fails: ELM_NOT_FOUND (no wanted outputs, no such entry), as elm_io_match. */
enum elm_status elm_tape_record(struct elm_tape *tape, const struct elm_tree *t,
                                const struct elm_names *names, const struct elm_io *io,
                                const struct elm_evidence *evidence, struct elm_error *err);
void elm_tape_release(struct elm_tape *tape);

/* The value of the scalar declared at node `declared_at`, or of an element of that array, just
 * before an event. False: unset, out of bounds or out of scope. */
bool elm_tape_value(const struct elm_tape *tape, uint32_t event, uint32_t declared_at,
                    int64_t i, int64_t j, union elm_value *out);

/* One value a case; where ok is false there is none. */
struct elm_column {
    union elm_value v[ELM_TAPE_CASES_MAX];
    bool ok[ELM_TAPE_CASES_MAX];
    bool real;             /* doubles */
};
/* A moment in each of some cases, and the names in scope then (elm_tree_scope). */
#define ELM_VIEW_SYMBOLS_MAX 48
struct elm_view {
    const struct elm_tape *tape;
    uint32_t cases;
    uint32_t events[ELM_TAPE_CASES_MAX];
    struct elm_symbol symbols[ELM_VIEW_SYMBOLS_MAX];
    uint32_t symbol_count;
    struct elm_column *columns;    /* [ELM_VIEW_SYMBOLS_MAX]: scratch, filled when first read */
    bool read[ELM_VIEW_SYMBOLS_MAX];
};
/* False when the expression can't be computed without running the program: it stores, calls a
 * function of the file, or names what is not in scope. */
bool elm_view_evaluate(struct elm_view *v, const struct elm_node *n, struct elm_column *out);
/* a op b; unary operators get a twice. */
void elm_view_combine(const struct elm_view *v, uint8_t op, const struct elm_column *a,
                      const struct elm_column *b, struct elm_column *out);


/* Tapes of the parents used last, each recorded once. */
#define ELM_TAPES_MAX 8
struct elm_tapes;
struct elm_parent;
struct elm_problem;
struct elm_tapes *elm_tapes_new(void);
void elm_tapes_free(struct elm_tapes *t);
/* *out is borrowed until ELM_TAPES_MAX others have been asked for. Fails: as elm_tape_record. */
enum elm_status elm_tapes_of(struct elm_tapes *t, const struct elm_problem *problem,
                             const struct elm_evidence *evidence, const struct elm_parent *parent,
                             const struct elm_tape **out, struct elm_error *err);
/* How many wanted values more an edit meets than the tape's program, where it puts one expression in
 * another's place: cases, of those in which something is wanted there. 0 where that can't be told without
 * running the child. Not for two threads at once. */
int elm_tapes_gain(struct elm_tapes *t, const struct elm_tape *tape, const struct elm_tree *tree,
                   const struct elm_edit *edit);

#endif
