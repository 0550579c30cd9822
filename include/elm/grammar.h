/*
 * grammar: what may be written at one spot of one program, as an acceptor of bytes. What it admits
 * parses there, names only what is in scope, and has the types that the spot wants, so that
 * elm_tree_check accepts the child, unless it stores and uses a variable in one expression where C
 * leaves the order open. It need not admit all of core C.
 *
 * One layout is admitted, the printer's.
 *
 * Where it begins: at the whitespace before the spot, which is read first. A prompt ends before it,
 * because the words of models begin with their space.
 *
 * Where it ends: a span is written between what stands before and what stands after it. Once the
 * span could be complete, the acceptor also admits the first bytes of the text that follows it; as
 * many as tell that the span has ended (8 at most, whitespace before them apart) end it.
 *
 * Constant once made; any thread may step states of it.
 */
#ifndef ELM_GRAMMAR_H
#define ELM_GRAMMAR_H

#include "elm/code.h"

struct elm_grammar;
/* The grammar of what may stand in the place of `count` sibling subtrees beginning with node `at` of
 * a checked tree: one expression of a type that fits (count 1), or statements. `names` must live as
 * long as the grammar. `nodes_max`: of what is written; it is exceeded by two now and then, and where
 * what must come takes more. Fails: ELM_USAGE where the node can't be replaced. */
enum elm_status elm_grammar_new(const struct elm_tree *t, const struct elm_names *names,
                                uint32_t at, uint32_t count, uint32_t nodes_max,
                                struct elm_grammar **out, struct elm_error *err);
void elm_grammar_free(struct elm_grammar *g);
/* What is written must differ from what it replaces: it may follow its text up to byte `at`, or up to
 * the next place (before `at` if there is none after it) where anything else is admitted; at its end
 * it must go on. Models copy what they have seen. Before a state is made. False: there is nothing else
 * to write, and the grammar is as it was. */
bool elm_grammar_leave(struct elm_grammar *g, uint32_t at);

/* Where one reading of a span stands. Plain bytes: copy freely. */
#define ELM_GRAMMAR_STATE_BYTES 256
struct elm_grammar_state {
    _Alignas(8) uint8_t bytes[ELM_GRAMMAR_STATE_BYTES];
};
void elm_grammar_start(const struct elm_grammar *g, struct elm_grammar_state *s);
/* Reads one byte. False: not admitted, and the state is undefined. */
bool elm_grammar_step(const struct elm_grammar *g, struct elm_grammar_state *s, uint8_t byte);
/* Has the border been read: nothing more is to be written? */
bool elm_grammar_ended(const struct elm_grammar *g, const struct elm_grammar_state *s);
/* Bytes at the end of a span that was read to its end which are the border. */
uint32_t elm_grammar_border(const struct elm_grammar *g);

/* For those who remember what a state admits. What is left of a state once the number of nodes written
 * is forgotten admits the same for every number, as long as there is room for all that the readings
 * from there on ask for: elm_grammar_asked of the state after each byte, admitted or not, counted from
 * the span's first node and at most elm_grammar_room. Equal states are equal bytes. */
uint32_t elm_grammar_forget(struct elm_grammar_state *s);    /* returns the nodes written */
uint32_t elm_grammar_asked(const struct elm_grammar_state *s);
uint32_t elm_grammar_room(const struct elm_grammar *g);
/* Of all that decides what is admitted. */
uint64_t elm_grammar_hash(const struct elm_grammar *g);

/* The nodes of a span that was read to its end (`text` may hold the border). Allocated in `arena`,
 * types not set. ELM_PARSE when the text is not complete. `names` may be added to (search thread). */
enum elm_status elm_grammar_nodes(const struct elm_grammar *g, struct elm_names *names,
                                  struct elm_str text, struct elm_arena *arena,
                                  const struct elm_node **nodes, uint32_t *count,
                                  uint32_t *kids, struct elm_error *err);

#endif
