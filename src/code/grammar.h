/*
 * grammar: what the files of the grammar share. Private to src/code.
 *
 * A state is a stack of what is open (frames), one level of an expression (the operators that wait
 * for their right side, by precedence, with the types of their left sides), a mode that says what
 * kind of byte may follow, and the locals declared so far. One layout is admitted: the printer's.
 *
 *     grammar.c               start, step, border, key
 *     grammar_spot.c          what the place wants: elm_grammar_new
 *     grammar_words.c         names and keywords, and where each may stand
 *     grammar_expression.c    operands, operators, types
 *     grammar_statement.c     statements, declarations, blocks
 *     grammar_nodes.c         text to nodes
 */
#ifndef ELM_CODE_GRAMMAR_H
#define ELM_CODE_GRAMMAR_H

#include "elm/grammar.h"

#define FRAMES_MAX 16
#define LOCALS_MAX 24
#define SECONDS_MAX 4          /* declared arrays of two dimensions in scope at a time */
#define OWED_MAX 8
#define WORDS_MAX 240
#define PARAMS_MAX 512
#define LEAD_MAX 63
#define BORDER_MAX 63
#define AFTER_MAX 128
#define ARRAY_MAX 1024          /* elements of an array that the span thinks of */

enum keyword { KEY_INT, KEY_DOUBLE, KEY_IF, KEY_FOR, KEY_WHILE, KEY_DO, KEY_RETURN, KEY_BREAK,
               KEY_CONTINUE, KEYWORDS };
enum role { ROLE_KEYWORD, ROLE_SYMBOL, ROLE_FUNCTION, ROLE_FRESH };

struct shape {
    uint8_t type;              /* enum elm_type */
    uint16_t dims[2];          /* arrays; dims[0] counts only where one is to be declared */
};

struct word {
    struct elm_str text;       /* borrowed from the names */
    struct shape shape;        /* of a symbol; type: what a function returns */
    uint8_t role;              /* enum role */
    uint8_t keyword;           /* enum keyword */
    uint8_t owed;              /* 1 + index in grammar.owed; 0: none */
    uint8_t params;            /* of a function, in grammar.params from first_param on */
    uint16_t first_param;
    bool math;                 /* a math function: useless as a statement */
    bool callable;             /* its array parameters can be served */
    bool barred;               /* being declared around the spot */
    bool taken;                /* fresh, but what follows the span has a use of it */
};

enum frame_kind {
    /* frames[0]: the spot */
    BASE_VALUE, BASE_LVALUE, BASE_ARRAY, BASE_SIMPLE, BASE_FOR_INIT, BASE_LIST, BASE_BLOCK,
    BASE_ELSE, BASE_ITEMS,
    /* expressions */
    FRAME_PAREN, FRAME_CALL, FRAME_INDEX, FRAME_THEN,
    FRAME_VALUE,               /* assigned, initialising or returned */
    FRAME_ITEMS,               /* {1, 2}; level: how many more, dims of inner lists in `second` */
    /* heads */
    FRAME_IF, FRAME_WHILE, FRAME_DO, FRAME_FOR_INIT, FRAME_FOR_CONDITION, FRAME_FOR_STEP,
    FRAME_BLOCK,
};

/* frame.flags */
enum {
    FLAG_STATEMENT = 1,        /* CALL: stands alone */
    FLAG_LVALUE = 2,           /* INDEX: of what is assigned */
    FLAG_PREFIXED = 4,         /* INDEX: after ++ or -- */
    FLAG_RETURN = 8,           /* VALUE */
    FLAG_NO_DEBT = 16,         /* a double may not wait for its comparison here */
    FLAG_LOOP = 32,            /* BLOCK: a body of a loop */
    FLAG_ALL_RETURN = 64,      /* IF, BLOCK of one: all branches before it end in return */
    FLAG_RETURNS = 128,        /* BLOCK, BASE_LIST: its last statement does */
};

enum owner { OWNER_PLAIN, OWNER_THEN, OWNER_ELSE, OWNER_LOOP, OWNER_DO };

struct frame {
    uint8_t kind;              /* enum frame_kind */
    uint8_t flags;
    uint16_t level;            /* of the expression around; ITEMS: items left */
    uint8_t unary;             /* before the operand that this is */
    uint8_t word;              /* CALL: the function; INDEX: the array's word */
    uint16_t at;               /* CALL: argument; INDEX: second; BLOCK: owner | locals << 8;
                                  ITEMS: length of inner lists */
};

struct local {
    uint8_t word;
    uint8_t type : 4, second : 4;    /* second: 1 + index in state.seconds */
};

enum mode {
    MODE_LEAD, MODE_LITERAL, MODE_INDENT, MODE_OPERAND, MODE_WORD, MODE_WANT, MODE_ZERO, MODE_INT,
    MODE_POINT, MODE_FRACTION, MODE_E, MODE_SIGN, MODE_EXPONENT, MODE_AFTER, MODE_OPERATOR,
    MODE_STATEMENT, MODE_LVALUE, MODE_SIMPLE, MODE_NO_ARGUMENT, MODE_SECOND_INDEX, MODE_DECLARED,
    MODE_DIMENSION, MODE_ITEMS, MODE_ITEM_END, MODE_OPEN, MODE_ELSE, MODE_LINE, MODE_IF_LINE,
    MODE_DONE,
};

enum want { WANT_OPERAND, WANT_STATEMENT, WANT_SIMPLE, WANT_FOR_INIT, WANT_LVALUE, WANT_ARRAY,
            WANT_DECLARED };

/* Fixed text that must come next, and leads to what grammar_literal says. */
enum literal {
    LITERAL_HEAD, LITERAL_BODY, LITERAL_OPEN, LITERAL_ELSE, LITERAL_ELSE_IF, LITERAL_DO,
    LITERAL_DO_WHILE, LITERAL_DO_END, LITERAL_ARGUMENT, LITERAL_CONDITION, LITERAL_STEP,
    LITERAL_INITIAL, LITERAL_ITEM, LITERAL_INCREMENT, LITERAL_DECREMENT,
};

/* level: operators that wait for their right side. Tightest first. */
enum {
    LEVEL_MUL = 1, LEVEL_ADD = 2, LEVEL_SHIFT = 4, LEVEL_REL = 8, LEVEL_EQ = 16, LEVEL_AND = 32,
    LEVEL_XOR = 64, LEVEL_OR = 128, LEVEL_LOGIC_AND = 256, LEVEL_LOGIC_OR = 512, LEVEL_ELSE = 1024,
    LEVEL_MOD = 2048,          /* MUL is a % */
    LEVEL_MUL_DOUBLE = 4096, LEVEL_ADD_DOUBLE = 8192, LEVEL_ELSE_DOUBLE = 16384,   /* left sides */
    LEVEL_NEED_INT = 32768,    /* the whole must be int */
};

/* unary: operators before an operand */
enum {
    UNARY_INT = 1, UNARY_DOUBLE = 2,          /* what the outermost makes of it; neither: the same */
    UNARY_ANY = 4, UNARY_NEED_INT = 8,        /* what the innermost wants; neither: the level's need */
    UNARY_ONE = 16, UNARY_COUNT = 48,         /* how many, up to 3 */
    UNARY_MINUS = 64,                         /* the last is - */
};

struct state {
    uint64_t border;           /* bit i: the last i bytes are the border's first, after a whole span */
    uint32_t operators;        /* MODE_OPERATOR: those that it may be */
    uint16_t nodes;
    uint16_t asked;            /* the most nodes that the last byte asked for room for */
    uint16_t level;
    uint16_t number;           /* MODE_INT: how it compares to INT32_MAX so far; else a value */
    uint16_t dims[2];          /* of the array being declared */
    uint16_t same;             /* 1 + bytes read, while they are those of what is replaced; 0: others */
    bool alive;                /* the span may go on */
    bool ended;
    uint8_t mode;              /* enum mode */
    uint8_t at;                /* bytes read of what the mode reads */
    uint8_t literal;
    uint8_t want;              /* enum want */
    uint8_t lo, hi;            /* words that begin as what was read */
    uint8_t depth, indent, loops;
    uint8_t local_count, second_count;
    uint8_t owed;              /* bits: declared */
    uint8_t declaring;         /* 1 + word */
    uint8_t dim_count;
    uint8_t type;              /* of the operand or lvalue read */
    uint8_t declared;          /* int or double: of what is being declared */
    uint8_t unary;
    bool cast_here;            /* just after a bracket that may be a cast's */
    bool all_return;           /* MODE_IF_LINE, MODE_ELSE */
    bool prefixed;             /* after ++ or -- */
    struct frame frames[FRAMES_MAX];
    struct local locals[LOCALS_MAX];
    uint16_t seconds[SECONDS_MAX];
};
_Static_assert(sizeof(struct state) <= ELM_GRAMMAR_STATE_BYTES, "a state is too large");

struct grammar_text {
    uint8_t len;
    char bytes[AFTER_MAX];
};

struct elm_grammar {
    uint8_t base;              /* enum frame_kind */
    uint8_t returns;           /* of the function: enum elm_type */
    uint8_t indent;            /* levels, of statements at the spot */
    bool need_int, no_debt;    /* BASE_VALUE, BASE_LVALUE */
    bool must_return;          /* the span must not fall out of its end */
    bool may_break, may_continue;
    struct shape shape;        /* BASE_ARRAY, BASE_ITEMS */
    struct grammar_text lead;  /* whitespace before the spot */
    struct grammar_text after; /* what follows; its first `border` bytes end the span */
    uint32_t border;
    uint64_t border_bytes[256];       /* bit i: the border's byte i is this one */
    uint32_t nodes_max;
    uint16_t nodes_least;      /* what has to come in any case */
    char *old;                 /* what is replaced, with its lead */
    uint32_t old_len;
    uint32_t leave;            /* byte of it to leave it at; UINT32_MAX: it may be written again */
    struct shape owed[OWED_MAX];
    uint32_t owed_count, owed_seconds;
    struct shape params[PARAMS_MAX];
    uint32_t param_count;
    struct word words[WORDS_MAX];     /* sorted */
    uint32_t word_count, symbol_count;
    uint32_t fresh_count, fresh_base; /* words that can be declared; in the span's own list */
    uint8_t first[256], last[256];    /* words that begin with a byte: [first, last) */
};


struct grammar_place {
    const struct elm_tree *tree;
    const struct elm_names *names;
    uint32_t at, end;          /* the nodes replaced */
    uint32_t rest_end;         /* what the span's declarations reach: [end, rest_end) */
    uint32_t function;
    uint32_t barred[8];        /* names being declared around the spot */
    uint32_t barred_count;
};
/* grammar_words.c */
enum elm_status grammar_words(struct elm_grammar *g, const struct grammar_place *p,
                              struct elm_error *err);
bool grammar_word_begin(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_word_step(const struct elm_grammar *g, struct state *s, uint8_t byte);
/* The word read, which may stand here; -1 if it isn't one. */
int grammar_word_exact(const struct elm_grammar *g, struct state *s);
/* What a word names: the type of a local or symbol; ELM_TYPE_NONE. second: of arrays. */
uint8_t grammar_symbol(const struct elm_grammar *g, const struct state *s, uint32_t word,
                       uint16_t *second);
bool grammar_is_word(uint8_t byte);
/* May a local be declared, of this type, or of any (ELM_TYPE_NONE)? */
bool grammar_declares(const struct elm_grammar *g, struct state *s, uint8_t type);

/* grammar_expression.c */
bool grammar_double_fits(uint8_t holder_flags, uint16_t level, uint8_t unary);
bool grammar_finish(uint16_t level, uint8_t *type);
bool grammar_operand(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_number(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_after(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_operator(struct state *s, uint8_t byte);
bool grammar_assignment(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_second_index(struct state *s, uint8_t byte);
bool grammar_index(struct state *s, uint32_t word, uint16_t second, uint8_t flags);
bool grammar_call(const struct elm_grammar *g, struct state *s, uint32_t word, uint8_t flags);
bool grammar_no_argument(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_argument(const struct elm_grammar *g, struct state *s);
bool grammar_argument_end(const struct elm_grammar *g, struct state *s, uint8_t byte);
void grammar_operand_done(struct state *s, uint8_t type);
void grammar_cast(struct state *s, bool to_double);
/* The type of the expression's last operand, if one is complete. */
bool grammar_complete(const struct elm_grammar *g, struct state *s, uint8_t *type);

/* grammar_statement.c */
void grammar_expect(struct state *s, uint8_t literal);
bool grammar_statement(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_want(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_word_end(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_literal(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_simple_end(const struct elm_grammar *g, struct state *s, uint8_t byte, bool returns);
bool grammar_head_end(struct state *s, uint8_t byte);
bool grammar_declared(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_dimension(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_items(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_item_end(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_line(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_indent(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_open(struct state *s, uint8_t byte);
bool grammar_else(const struct elm_grammar *g, struct state *s, uint8_t byte);
bool grammar_owes(const struct elm_grammar *g, const struct state *s);
/* Must the block or list on top still get a return? */
bool grammar_must_return(const struct elm_grammar *g, const struct state *s);

static inline struct frame *grammar_top(struct state *s)
{
    return &s->frames[s->depth - 1];
}

static inline const struct frame *grammar_holder(const struct state *s)
{
    return &s->frames[s->depth - 1];
}

/* The caller has made sure that there is room. */
static inline struct frame *grammar_push(struct state *s, uint8_t kind, uint8_t flags)
{
    struct frame *f = &s->frames[s->depth++];
    *f = (struct frame){.kind = kind, .flags = flags, .level = s->level, .unary = s->unary};
    s->level = s->unary = 0;
    return f;
}

/* What is not in use is zero, so that equal states are equal bytes. */
static inline struct frame grammar_pop(struct state *s)
{
    struct frame f = s->frames[--s->depth];
    s->frames[s->depth] = (struct frame){0};
    s->level = f.level;
    s->unary = f.unary;
    return f;
}

/* Is there room for so many nodes more? What must come is counted where it becomes certain, by the
 * least that it takes (an operator with a right side of one node, a call with its arguments), so that
 * a reading can always end without more. */
static inline bool grammar_affords(const struct elm_grammar *g, struct state *s,
                                   uint32_t nodes)
{
    uint32_t most = s->nodes + nodes;
    s->asked = most > s->asked ? (uint16_t)most : s->asked;
    return most <= g->nodes_max;
}

/* An expression that stands alone in a head, not as a statement. */
static inline bool grammar_is_head(uint8_t kind)
{
    return kind == FRAME_FOR_INIT || kind == FRAME_FOR_STEP || kind == BASE_SIMPLE ||
           kind == BASE_FOR_INIT;
}

/* What an lvalue of this array takes beside its own node. */
static inline uint32_t grammar_indices(uint16_t second)
{
    return second != 0 ? 2 : 1;
}

static inline bool grammar_holds_statements(uint8_t kind)
{
    return kind == FRAME_BLOCK || kind == BASE_LIST;
}

#endif
