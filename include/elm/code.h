/*
 * code: core C as typed trees, and the virtual machine that runs them.
 *
 * Core C is the subset of C that trees, edits, operators and the VM share: functions over `int`
 * (32 bits, wrapping) and `double`, arrays of either with one or two fixed dimensions as locals,
 * arrays as parameters, if / for / while / do / break / continue / return, calls to functions of
 * the same file and to a fixed list from math.h (elm_math_name). No pointers but array
 * parameters, no globals, structs, strings, switch or goto. Text outside the subset is refused
 * with ELM_OUTSIDE and the first reason; such programs still run through the compiler path.
 *
 * A tree is one flat array of nodes in prefix order; a subtree is a contiguous range, so an edit
 * is a splice. Trees are immutable once made and may be read by any thread.
 *
 *     elm_tree_parse(text, names, &tree, err) -> elm_tree_print(&tree, names, &buf)
 *
 * The printer is lossless: parsing what it printed gives the same nodes, comments included, and
 * text in the printer's own layout (the layout of every seed in problems/) comes back byte for
 * byte.
 */
#ifndef ELM_CODE_H
#define ELM_CODE_H

#include "elm/base.h"

#define ELM_NODES_MAX 4096      /* of one tree */
#define ELM_TEXT_BYTES_MAX (256 * 1024)
#define ELM_NAME_BYTES_MAX 63

enum elm_type {
    ELM_TYPE_NONE,          /* statements, functions, comments; `void` as a return type */
    ELM_TYPE_INT,
    ELM_TYPE_DOUBLE,
    ELM_TYPE_INT_ARRAY,
    ELM_TYPE_DOUBLE_ARRAY,
};

/* Kids in brackets. Every kind's spelling and arity: elm_kind_info. */
enum elm_kind {
    ELM_NODE_NONE,
    /* top level */
    ELM_NODE_PROGRAM,    /* [FUNCTION | COMMENT | TEXT ...] */
    ELM_NODE_FUNCTION,   /* [PARAM ... BLOCK]; type = return type, name */
    ELM_NODE_PARAM,      /* []; type, name, dims of arrays: {0,0} for `int *a`/`int a[]`,
                            {n,0}, {n,m} */
    ELM_NODE_COMMENT,    /* []; name = the whole comment with its delimiters */
    ELM_NODE_TEXT,       /* []; name = a preprocessor line kept as it is (#include <math.h>) */
    /* statements */
    ELM_NODE_BLOCK,      /* [statement ...] */
    ELM_NODE_DECLARE,    /* [initialiser?]; type, name, dims; arrays take an INIT_LIST */
    ELM_NODE_INIT_LIST,  /* [expression | INIT_LIST ...] */
    ELM_NODE_IF,         /* [condition, then, else?]; then and else are always BLOCKs or, for
                            else, an IF (else if) */
    ELM_NODE_FOR,        /* [init, condition, step, body]; init is DECLARE, expression or EMPTY;
                            condition and step are expressions or EMPTY; body a BLOCK */
    ELM_NODE_WHILE,      /* [condition, body] */
    ELM_NODE_DO,         /* [body, condition] */
    ELM_NODE_BREAK, ELM_NODE_CONTINUE,
    ELM_NODE_RETURN,     /* [expression?] */
    ELM_NODE_EVAL,       /* [expression]: an expression statement */
    ELM_NODE_EMPTY,      /* []: `;`, or an absent part of a FOR */
    /* expressions: type is ELM_TYPE_INT or ELM_TYPE_DOUBLE, or an array type for a whole array
       passed to a call */
    ELM_NODE_INT,        /* []; i, in int32 range, never negative (that is NEG of INT) */
    ELM_NODE_REAL,       /* []; d, finite, never negative */
    ELM_NODE_VAR,        /* []; name */
    ELM_NODE_INDEX,      /* [index, second index?]; name of the array */
    ELM_NODE_CALL,       /* [argument ...]; name of the function */
    ELM_NODE_NEG, ELM_NODE_NOT, ELM_NODE_BIT_NOT,
    ELM_NODE_TO_INT, ELM_NODE_TO_DOUBLE,          /* casts */
    ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_DIV, ELM_NODE_MOD,
    ELM_NODE_AND, ELM_NODE_OR, ELM_NODE_XOR, ELM_NODE_SHL, ELM_NODE_SHR,
    ELM_NODE_EQ, ELM_NODE_NE, ELM_NODE_LT, ELM_NODE_LE, ELM_NODE_GT, ELM_NODE_GE,
    ELM_NODE_LOGIC_AND, ELM_NODE_LOGIC_OR,
    ELM_NODE_COND,       /* [condition, then, else]: ?: */
    ELM_NODE_ASSIGN,     /* [lvalue, value]; an lvalue is a VAR or an INDEX */
    ELM_NODE_ADD_ASSIGN, ELM_NODE_SUB_ASSIGN, ELM_NODE_MUL_ASSIGN, ELM_NODE_DIV_ASSIGN,
    ELM_NODE_MOD_ASSIGN, ELM_NODE_AND_ASSIGN, ELM_NODE_OR_ASSIGN, ELM_NODE_XOR_ASSIGN,
    ELM_NODE_SHL_ASSIGN, ELM_NODE_SHR_ASSIGN,
    ELM_NODE_PRE_INC, ELM_NODE_PRE_DEC, ELM_NODE_POST_INC, ELM_NODE_POST_DEC,   /* [lvalue] */
    ELM_NODE_KINDS,
};

struct elm_node {
    uint8_t kind;     /* enum elm_kind */
    uint8_t type;     /* enum elm_type, set by elm_tree_check */
    uint16_t kids;
    uint32_t size;    /* nodes of this subtree, itself included */
    union {
        int64_t i;
        double d;
        struct {
            uint32_t name;       /* in struct elm_names */
            uint16_t dims[2];
        };
    };
};

struct elm_tree {
    struct elm_node *nodes;     /* prefix order; nodes[0] is the PROGRAM */
    uint32_t count;
};
void elm_tree_release(struct elm_tree *t);
/* A copy with memory of its own. */
struct elm_tree elm_tree_copy(const struct elm_tree *t);

/* Facts of a kind, for printers, operators and masks. */
enum elm_class {
    ELM_CLASS_TOP, ELM_CLASS_STATEMENT, ELM_CLASS_EXPRESSION, ELM_CLASS_LVALUE /* VAR, INDEX */,
};
struct elm_kind_info {
    const char *name;        /* "add", for logs and tests */
    const char *spelling;    /* "+", NULL where there is none */
    uint8_t cls;             /* enum elm_class */
    int8_t kids_min, kids_max;   /* -1: any number */
    uint8_t precedence;      /* C's, 1 (comma) .. 16 (primary); expressions only */
    bool commutative;        /* for equal-typed operands without side effects */
    bool int_only;           /* operands must be int: % & | ^ << >> ~ */
};
const struct elm_kind_info *elm_kind_info(enum elm_kind kind);

/* Names: interned identifiers, comments and kept lines. Append-only; entries never move.
 * One thread adds, any thread reads ids it was handed. Ids depend only on the order of adding,
 * and the first ELM_NAMES_FIXED are the same in every table: math functions, then the fresh
 * local names t0..t15, i, j, k, x, y, z. */
struct elm_names;
struct elm_names *elm_names_new(void);
void elm_names_free(struct elm_names *n);
uint32_t elm_names_add(struct elm_names *n, struct elm_str text);
struct elm_str elm_names_text(const struct elm_names *n, uint32_t name);
uint32_t elm_names_count(const struct elm_names *n);
#define ELM_MATH_FUNCTIONS 20
/* Math functions are names 0 .. ELM_MATH_FUNCTIONS-1: sqrt fabs floor ceil sin cos tan atan atan2
 * exp log pow fmin fmax fmod tanh cbrt round abs hypot. All are double -> double (two arguments:
 * atan2 pow fmin fmax fmod hypot) but abs, which is int -> int. */
bool elm_math_name(uint32_t name, int *arguments, enum elm_type *type);
#define ELM_NAMES_FRESH ELM_MATH_FUNCTIONS     /* first fresh local name */
#define ELM_NAMES_FIXED (ELM_MATH_FUNCTIONS + 22)

/* Text to tree. Checks nothing beyond syntax: call elm_tree_check next.
 * `tree` is written on success only; the caller releases it. Any thread that may add to `names`.
 * Fails: ELM_PARSE (line and column), ELM_OUTSIDE (line, column, what), ELM_RANGE (too large). */
enum elm_status elm_tree_parse(struct elm_str text, struct elm_names *names,
                               struct elm_tree *tree, struct elm_error *err);
/* Appends the C text of the whole tree, or of one subtree (no final newline then). */
void elm_tree_print(const struct elm_tree *t, const struct elm_names *names, struct elm_buf *out);
void elm_node_print(const struct elm_node *node, const struct elm_names *names,
                    struct elm_buf *out);
/* elm_tree_print, and where the text of `count` siblings from the statement or expression `at` on
 * lies in out: [*from, *to). Brackets that only an expression's place wants are outside. */
void elm_tree_print_spot(const struct elm_tree *t, const struct elm_names *names, uint32_t at,
                         uint32_t count, struct elm_buf *out, size_t *from, size_t *to);

/* Appends an `#include` line for each header that a C compiler wants for the math functions which a
 * checked tree calls and that the tree doesn't include: math.h, and stdlib.h for abs. Those lines and
 * the tree's text are a program for any compiler. */
void elm_tree_includes(const struct elm_tree *t, const struct elm_names *names,
                       struct elm_buf *out);

/* Resolves names and types: fills `type` of every node; refuses what a C compiler would refuse
 * or warn of badly (undeclared or twice declared names, wrong argument counts and types, % of
 * doubles, break outside a loop, a value from a void function, a non-lvalue assigned, an array
 * used as a number, a name used in its own initialiser, a non-void function that can end without
 * return: the last statement of the body must be a return or an if/else whose both ends return, or
 * an endless loop).
 * Calls only functions defined above, or itself. Structure (arity, kinds of kids, sizes) is
 * checked first, so any array of nodes may be given.
 * A program that stores a variable and uses it in one expression where C leaves the order open
 * (`x = x++`, `a[0] + f(a)` where f stores into its array) is refused as well, since compilers differ.
 * An array counts as one variable there: `a[i]++ + a[j]` is refused whatever i and j are.
 * Fails: ELM_PARSE, ELM_RANGE, ELM_OUTSIDE (that order alone). */
enum elm_status elm_tree_check(struct elm_tree *t, const struct elm_names *names,
                               struct elm_error *err);

/* Sets bit i of bits (count/8+1 bytes) for each node that may be changed: nodes between the
 * comments EVOLVE-BLOCK-START and EVOLVE-BLOCK-END that are siblings of each other, at top level
 * or in a block; all nodes but PROGRAM, FUNCTION, PARAM, TEXT and COMMENT when there are no markers.
 * A FUNCTION node and its PARAMs are never editable, its BLOCK is. Returns the number set. */
uint32_t elm_tree_editable(const struct elm_tree *t, const struct elm_names *names,
                           uint8_t *bits);

/* Hash of the normal form: the same for programs that differ only in comments, names of functions,
 * parameters and locals, redundant blocks and empty statements, order of commutative operands
 * without side effects, spelling of constants, and x += 1 / x = x + 1 / x++ as a statement. It is the
 * same in every process, whatever names were added before; which function is called first is for
 * the caller to tell apart. */
uint64_t elm_tree_hash(const struct elm_tree *t);
/* Exact: equal for equal nodes, names included; by their numbers, so for this process only. */
uint64_t elm_tree_text_hash(const struct elm_tree *t);

/* Operators of two values (ADD .. LOGIC_OR) in the whole tree. */
uint32_t elm_tree_operators(const struct elm_tree *t);

/* Navigation: the node index of kid k of node `at`; the parent of `at` (O(depth) from the root;
 * UINT32_MAX for the root). The function index that holds `at`, UINT32_MAX at top level. */
uint32_t elm_tree_kid(const struct elm_tree *t, uint32_t at, uint32_t k);
uint32_t elm_tree_parent(const struct elm_tree *t, uint32_t at);
uint32_t elm_tree_function(const struct elm_tree *t, uint32_t at);

/* What may be named at node `at` (before it): parameters, locals declared earlier in enclosing
 * blocks. Shadowed names are left out. Newest first. Returns how many were written. */
struct elm_symbol {
    uint32_t name;
    uint8_t type;          /* enum elm_type */
    bool is_param;
    uint16_t dims[2];
    uint32_t declared_at;  /* node index of the PARAM or DECLARE */
};
uint32_t elm_tree_scope(const struct elm_tree *t, uint32_t at, struct elm_symbol *out,
                        uint32_t max);
/* Functions of the file that may be called at `at`. */
uint32_t elm_tree_callable(const struct elm_tree *t, uint32_t at, uint32_t *functions,
                           uint32_t max);

/* An edit replaces `removed` kids of node `parent`, from kid `first` on, by `put`: put_kids
 * subtrees laid one after another in put_count nodes. Insertion: removed 0; deletion: put_kids 0.
 * Several edits of one child refer to the nodes of the unedited parent, sorted by
 * (parent's first node touched), not overlapping. */
struct elm_edit {
    uint32_t parent;
    uint16_t first, removed;
    uint16_t put_kids;
    uint32_t put_count;
    const struct elm_node *put;     /* borrowed */
};
#define ELM_EDITS_MAX 8
/* The child of t under the edits; not checked (elm_tree_check does). Fails: ELM_RANGE. */
enum elm_status elm_tree_edit(const struct elm_tree *t, const struct elm_edit *edits,
                              uint32_t edit_count, struct elm_tree *child,
                              struct elm_error *err);
/* The edit that replaces the single node-subtree at `at` by put. */
struct elm_edit elm_edit_replace(const struct elm_tree *t, uint32_t at,
                                 const struct elm_node *put, uint32_t put_count);
/* Compact bytes of edits (typically 6-15 for a point mutation) and back. decode allocates the
 * nodes in `arena`. Malformed bytes: ELM_CORRUPT. */
void elm_edits_encode(const struct elm_edit *edits, uint32_t edit_count, struct elm_buf *out);
enum elm_status elm_edits_decode(const void *bytes, size_t len, struct elm_edit *edits,
                                 uint32_t *edit_count, struct elm_arena *arena,
                                 struct elm_error *err);

/* ---- calling convention of an entry: how a case's bytes become arguments ---- */
enum elm_io_direction { ELM_IO_IN, ELM_IO_OUT, ELM_IO_INOUT, ELM_IO_STATE };
#define ELM_PARAMS_MAX 12
struct elm_io_param {
    char name[ELM_NAME_BYTES_MAX + 1];
    uint8_t type;               /* enum elm_type */
    uint8_t direction;          /* scalars are always IN */
    uint32_t dims[2];           /* arrays: {n,0} or {n,m} */
    uint32_t in_offset, out_offset;     /* bytes; UINT32_MAX where there is none */
    uint32_t state_offset;
};
/* A case's `in` bytes are the C struct of all IN and INOUT parameters in order (int32_t, double,
 * arrays of them, natural alignment); its `out` bytes the struct of the returned value (member
 * `value`, if not void) then all OUT and INOUT parameters in order. OUT arrays start as zeros.
 * STATE arrays are in neither: they keep their values between the rounds of a lane (elm/judge.h),
 * and start as zeros. */
struct elm_io {
    char entry[ELM_NAME_BYTES_MAX + 1];
    uint8_t returns;            /* ELM_TYPE_NONE, _INT or _DOUBLE */
    uint32_t param_count;
    struct elm_io_param params[ELM_PARAMS_MAX];
    uint32_t in_bytes, out_bytes;       /* multiples of 8, >= 8 */
    uint32_t state_bytes;               /* the struct of all STATE parameters; a multiple of 8 */
};
/* Fills offsets and sizes from the rest. Fails: ELM_RANGE beyond 1 MiB a side. */
enum elm_status elm_io_layout(struct elm_io *io, struct elm_error *err);
/* Does t define io->entry with these parameters? Fails: ELM_NOT_FOUND, ELM_PARSE. */
enum elm_status elm_io_match(const struct elm_io *io, const struct elm_tree *t,
                             const struct elm_names *names, struct elm_error *err);

/* ---- the virtual machine ---- */
/* How a run over one case ended. Everything but OK and FUEL is undefined behaviour of C or a
 * limit, caught exactly where it happens. */
enum elm_vm_end {
    ELM_VM_OK,
    ELM_VM_FUEL,         /* ran out of steps */
    ELM_VM_INDEX,        /* array index out of bounds */
    ELM_VM_UNSET,        /* a local or element read before it was set */
    ELM_VM_DIVIDE,       /* by zero, or INT_MIN / -1 */
    ELM_VM_SHIFT,        /* by < 0 or > 31 */
    ELM_VM_CONVERT,      /* double to int out of range or NaN */
    ELM_VM_STACK,        /* calls too deep, or locals too large */
    ELM_VM_ENDS,
};
const char *elm_vm_end_name(enum elm_vm_end end);      /* "index out of bounds", ... */

union elm_value {
    int64_t i;       /* int nodes, sign-extended */
    double d;
};

/* Compiled code is one relocatable block (no pointers), so it can be copied into shared memory
 * and run by another process. int + - * wrap; double arithmetic is IEEE, no contraction. */
#define ELM_VM_CODE_BYTES_MAX (128 * 1024)
/* Appends the code of a checked tree. Fails: ELM_RANGE (too many registers or instructions),
 * ELM_NOT_FOUND (no such entry). Any thread. */
enum elm_status elm_vm_compile(const struct elm_tree *t, const struct elm_names *names,
                               const struct elm_io *io, struct elm_buf *code,
                               struct elm_error *err);
/* Memory for runs: reusable, one per thread. */
struct elm_vm_memory;
struct elm_vm_memory *elm_vm_memory_new(void);
void elm_vm_memory_free(struct elm_vm_memory *m);
/* Runs the entry on one case. in: io.in_bytes, out: io.out_bytes (cleared first; arbitrary but
 * initialised unless OK). fuel: steps allowed; *steps: steps used (one per executed tree node
 * that computes, stores or jumps: the same on every machine and for every version of the
 * instruction set, traced or not). Never fails, never allocates, no locks. `code` must come from
 * elm_vm_compile: it is trusted. STATE arrays are zeros. */
enum elm_vm_end elm_vm_run(const void *code, struct elm_vm_memory *m, const void *in, void *out,
                           uint64_t fuel, uint64_t *steps);
/* For many programs of one io on the same cases: a case as the entry finds it, of so many words (STATE
 * arrays are zeros in it); and runs on the cases words[0 .. count), as elm_vm_run does them, until one does
 * not end OK. Returns how many did. out: [count][io.out_bytes]. */
uint32_t elm_vm_case_words(const void *code);
void elm_vm_load(const void *code, struct elm_vm_memory *m, const void *in, union elm_value *words);
uint32_t elm_vm_run_loaded(const void *code, struct elm_vm_memory *m, const union elm_value *words,
                           uint32_t count, uint64_t fuel, void *out);
/* Rounds: elements of all STATE arrays of the entry; room for `slots` elements in m, all zeros;
 * a run whose STATE arrays are the elements from `first` on, and keep their values. */
uint32_t elm_vm_state_slots(const void *code);
void elm_vm_clear_state(struct elm_vm_memory *m, uint32_t slots);
enum elm_vm_end elm_vm_run_state(const void *code, struct elm_vm_memory *m, uint32_t first,
                                 const void *in, void *out, uint64_t fuel, uint64_t *steps);
#define ELM_VM_STATE_SLOTS_MAX (8u << 20)

/* ---- evidence: what happened at a node ---- */
/* Values of every expression node of the tree, at its last evaluation, on each of n cases.
 * values: [node][case] (count * n); visits: [node][case], 0 where it was never evaluated,
 * saturating at UINT16_MAX; ends: [case]. Any thread. Fails: as elm_vm_compile. */
struct elm_trace {
    union elm_value *values;
    uint16_t *visits;
    uint8_t *ends;
    uint32_t node_count, case_count;
};
enum elm_status elm_vm_trace(const struct elm_tree *t, const struct elm_names *names,
                             const struct elm_io *io, const void *in, uint32_t case_count,
                             uint64_t fuel, struct elm_vm_memory *m, struct elm_trace *trace,
                             struct elm_error *err);
void elm_trace_release(struct elm_trace *trace);
/* Values of the scalar symbols in scope at node `at`, as they stood at its last evaluation on
 * each case: values[symbol][case]; set[symbol][case] is 0 where the symbol was unset or the node
 * never reached. symbols: from elm_tree_scope (array symbols are skipped: set 0). */
enum elm_status elm_vm_snapshot(const struct elm_tree *t, const struct elm_names *names,
                                const struct elm_io *io, uint32_t at,
                                const struct elm_symbol *symbols, uint32_t symbol_count,
                                const void *in, uint32_t case_count, uint64_t fuel,
                                struct elm_vm_memory *m, union elm_value *values, uint8_t *set,
                                struct elm_error *err);

#endif
