/*
 * operator: makes a child from parents.
 *
 * To add one: parts/operator/NAME.c, defining `const struct elm_operator_kind elm_operator_NAME`
 * (shortest example: constants.c). Nothing else: `make` finds it, `elm list operator` shows it,
 * tests/contract/operator_test.c runs on it. A tree operator answers with edits of the first
 * parent; the search applies, checks, hashes and stores them, so every attempt costs a few bytes.
 * A model operator writes a request and reads the reply (shortest example: rewrite.c); it never
 * calls a model. Operators run on the search thread.
 */
#ifndef ELM_OPERATOR_H
#define ELM_OPERATOR_H

#include "elm/backend.h"
#include "elm/code.h"
#include "elm/problem.h"
#include "elm/program.h"

/* Subtrees seen in admitted programs, by class and type: raw material of `tree`. Fixed capacity;
 * the oldest leave. Same additions, same contents. */
struct elm_pool;
struct elm_pool *elm_pool_new(void);
void elm_pool_free(struct elm_pool *p);
/* Adds every statement and every number expression of up to ELM_POOL_SUBTREE_NODES nodes that is
 * not in the pool yet. The tree must be checked (types set). */
#define ELM_POOL_SUBTREE_NODES 32
void elm_pool_add(struct elm_pool *p, const struct elm_tree *t);
/* A uniformly drawn subtree that is an expression of `type` (type != NONE) or a statement
 * (type == NONE), at most size_max nodes; NULL when there is none. Borrowed until the next add.
 * Pool statements never hold DECLAREs of names they don't declare before use. */
const struct elm_node *elm_pool_draw(const struct elm_pool *p, struct elm_rng *rng,
                                     enum elm_type type, uint32_t size_max);
void elm_pool_save(const struct elm_pool *p, struct elm_buf *out);
/* `names`: those that were saved beside it. Changes nothing when it fails: ELM_CORRUPT. */
enum elm_status elm_pool_load(struct elm_pool *p, const struct elm_names *names,
                              struct elm_reader *r, struct elm_error *err);

/* The shown cases and, where the judge can tell, the outputs wanted. Constant during a run. */
struct elm_evidence {
    uint32_t case_count;
    const void *in;              /* case_count * io.in_bytes */
    const void *want;            /* case_count * io.out_bytes; NULL: no exact answer exists */
    const uint8_t *want_mask;    /* 1 where a byte of want is prescribed; same shape */
};

/* A parent: an elite of the archive, borrowed for the call. */
struct elm_parent {
    int64_t id;
    const struct elm_tree *tree;         /* checked; NULL outside core C */
    struct elm_str text;                 /* only outside core C */
    const uint8_t *editable;             /* bits, elm_tree_editable */
    uint32_t editable_count;
    const struct elm_evaluation *evaluation;
    uint64_t asked;                      /* tree operators: children asked of it before, by whichever
                                            operator; 0 where nobody counts them */
    struct elm_str wrong;                /* model operators: what the judge said of shown cases that
                                            it gets wrong, a line each ("input, expected, got") */
    struct elm_str broken, broken_why;   /* model operators: a child of it that failed, its whole text
                                            and the reason; empty if there is none: `repair` */
};
struct elm_parents {
    const struct elm_parent *parent;     /* [count]; edits apply to parent[0] */
    uint32_t count;
};

/* What an operator may lean on; constant during a call. */
struct elm_operator_context {
    const struct elm_problem *problem;
    const struct elm_evidence *evidence;
    const struct elm_pool *pool;
    struct elm_vm_memory *vm;            /* scratch */
    const char *prompts_folder;          /* where the user's own prompt files are; NULL: built in */
    struct elm_arena *arena;             /* cleared before each call: edits' nodes go here */
    const char *model;                   /* of operators with one of their own; NULL: the built-in */
    uint64_t group;                      /* kinds with a group: what the members of one share, a random */
    uint32_t member;                     /* number; and which of them this call makes, 0 .. group-1 */
};

struct elm_operator_kind {
    const char *name;         /* the file's name, [a-z0-9_]+ */
    const char *summary;      /* one line for `elm list operator` */
    uint32_t price_us;        /* listed price of one call: the bandit's only idea of cost */
    uint32_t parents_min;     /* 1..2 */
    uint32_t group;           /* children made at a time of the same parents, by calls with member 0, 1, ...
                                 in a row: each is a function of (parents, context), so they may be made
                                 together; 0: one */

    bool by_name;             /* only where it is asked for: for models that were trained for it */
    bool traces;              /* makes nothing without values from inside of running programs: not for
                                 an opaque evaluator */

    /* Per-run memory; may be NULL together with free. It must be a cache only: a child is a function
     * of (parents, context, rng), whatever was asked before. */
    void *(*make)(const struct elm_problem *problem);
    void (*free)(void *self);

    /* Can it do anything for this problem? On false `why` (nullable) says why not. */
    bool (*applies)(const struct elm_problem *problem, const struct elm_evidence *evidence,
                    const char **why);       /* or one of those below */

    /* Of a tree operator with a model of its own (context->model): can this file be used, or, for NULL,
     * the one that is built in? Fails: as opening it; ELM_NOT_FOUND (none is built in). NULL: it has
     * none. */
    enum elm_status (*model)(const char *path, struct elm_error *err);

    /* Writes 1..ELM_EDITS_MAX edits of parents->parent[0]; their nodes live in context->arena.
     * Same arguments and rng, same edits. ELM_NOT_FOUND when it finds nothing to do: counted, not
     * an error. The child should pass elm_tree_check; one that doesn't is a stored failure. */
    enum elm_status (*mutate)(void *self, const struct elm_operator_context *context,
                              const struct elm_parents *parents, struct elm_rng *rng,
                              struct elm_edit *edits, uint32_t *edit_count,
                              struct elm_error *err);

    /* The same for a parent outside core C: appends the child's whole text. NULL when the operator
     * knows trees only; then `mutate` may not be NULL. */
    enum elm_status (*rewrite)(void *self, const struct elm_operator_context *context,
                               const struct elm_parents *parents, struct elm_rng *rng,
                               struct elm_buf *text, struct elm_error *err);

    /* Model operators have `prompt` and `parse` instead of the two above. */
    uint32_t answer_tokens;   /* that an answer usually has, for its price; 0: as many as the program */
    /* Writes the request for one child. Same parents and rng, same bytes. A grammar that it makes
     * lives in request->grammar until the search frees it. ELM_NOT_FOUND: nothing to ask here. */
    bool needs_masks;         /* only for backends that honour a grammar */
    enum elm_status (*prompt)(void *self, const struct elm_operator_context *context,
                              const struct elm_parents *parents, struct elm_rng *rng,
                              struct elm_request *request, struct elm_error *err);
    /* Reads the answer: edits of parents->parent[0] (*edit_count > 0), or the child's whole text.
     * ELM_PARSE with the reason when there is no child in it: a stored failure and a training signal,
     * not a fault. */
    enum elm_status (*parse)(void *self, const struct elm_operator_context *context,
                             const struct elm_parents *parents, const struct elm_request *request,
                             struct elm_str reply, struct elm_edit *edits, uint32_t *edit_count,
                             struct elm_buf *text, struct elm_error *err);
};

/* By name, then NULL; from the generated registry. */
extern const struct elm_operator_kind *const elm_operator_kinds[];
const struct elm_operator_kind *elm_operator_find(const char *name);   /* NULL if none */
/* For `applies`: where the seed is in core C; where, besides, the judge gives wanted outputs. */
bool elm_operator_takes_core_c(const struct elm_problem *problem, const struct elm_evidence *evidence,
                               const char **why);
bool elm_operator_takes_wants(const struct elm_problem *problem, const struct elm_evidence *evidence,
                              const char **why);
/* What its `applies` says, with this file as its own model (NULL: the built-in). */
bool elm_operator_applies(const struct elm_operator_kind *kind, const struct elm_problem *problem,
                          const struct elm_evidence *evidence, const char *model,
                          const char **why);
/* Is the file what each operator of the list ("nano,tree") that has a model of its own takes, and is there
 * one? list NULL: does any operator take it? Fails: as opening it; ELM_USAGE (none has one). */
enum elm_status elm_operator_model(const char *list, const char *path, struct elm_error *err);

/* ---- shared by tree-editing operators (src/search/edit.c) ---- */
/* Copies a subtree into the arena and renames what is not in scope at node `at` of `t`: each free
 * identifier becomes a name in scope of the same type (array for array), drawn by rng; a call of
 * an unknown function or an array where none is in scope makes it fail. Names the subtree itself
 * declares that would clash get fresh ones. False when it cannot fit. */
bool elm_edit_fit(const struct elm_tree *t, uint32_t at, const struct elm_node *subtree,
                  const struct elm_operator_context *context, struct elm_rng *rng,
                  const struct elm_node **fitted, uint32_t *count);
/* A random expression of `type` from what is in scope at `at`, size_max nodes at most, built with
 * the operators and constants fit for the type. NULL when nothing fits. */
const struct elm_node *elm_edit_random_expression(const struct elm_tree *t, uint32_t at,
                                                  enum elm_type type, uint32_t size_max,
                                                  const struct elm_operator_context *context,
                                                  struct elm_rng *rng, uint32_t *count);
/* A random statement that may stand where the statement `at` stands: an assignment, a declaration
 * of a fresh local, an if, a loop. Its nodes live in the context's arena. NULL when none fits. */
const struct elm_node *elm_edit_random_statement(const struct elm_tree *t, uint32_t at,
                                                 uint32_t size_max,
                                                 const struct elm_operator_context *context,
                                                 struct elm_rng *rng, uint32_t *count);
/* Writes the 1 or 2 nodes of a literal (negative: NEG of it); returns how many. v is brought into
 * [-INT32_MAX, INT32_MAX]; a double must be finite. */
uint32_t elm_edit_int(struct elm_node out[2], int64_t v);
uint32_t elm_edit_real(struct elm_node out[2], double v);
/* Does the name occur in the function at node `function`? */
bool elm_edit_named(const struct elm_tree *t, uint32_t function, uint32_t name);
/* The kinds that a node may turn into with its kids as they are, its own among them; NULL and 0
 * when there are none. The tree must be checked. */
const uint8_t *elm_edit_alternatives(const struct elm_node *n, uint32_t *count);
/* Is the subtree a the `count` nodes b, names and literals included? */
bool elm_edit_same(const struct elm_node *a, const struct elm_node *b, uint32_t count);
/* Sets bit i of bits (count/8+1 bytes) for each node of a statement that only sets a scalar which
 * nothing that matters reads: a change there can't change an output. Returns the number set. */
uint32_t elm_edit_idle(const struct elm_tree *t, uint8_t *bits);
/* How far an operator strays from the words of the seed, which are what the problem's author
 * thought of. The program itself drifts from them: what a mutation brings in is drawn again. */
struct elm_vocabulary {
    uint16_t uses[ELM_NODE_KINDS];   /* nodes of each kind in the seed */
    double novelty;                  /* chance that an operator is drawn from all there are */
    double literal_share;            /* of new leaves */
};
void elm_edit_vocabulary(const struct elm_problem *problem, struct elm_vocabulary *out);
/* One of `kinds` (enum elm_kind): but for novelty one that the seed has, if it has any, as often as
 * it has them. */
uint8_t elm_edit_draw_kind(const struct elm_vocabulary *v, struct elm_rng *rng,
                           const uint8_t *kinds, uint32_t count);
/* A uniformly drawn editable node for which `accept` (nullable) holds; UINT32_MAX if none. */
uint32_t elm_edit_pick(const struct elm_parent *parent, struct elm_rng *rng,
                       bool (*accept)(const struct elm_node *node));

#endif
