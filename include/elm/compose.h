/*
 * compose: a program written whole, from nothing but what its problem is: all that may change of the
 * entry's body. The operator `compose` asks a model for it; trainers learn it from admitted programs.
 *
 *     problem -> prompt: its summary and the lines before the spot     prompts/compose.txt
 *             -> grammar: what builds there                            elm/grammar.h
 *     program -> the answer that would have made it
 *     answer  -> program
 *
 * Parents play no part: all samples are drawn alike.
 */
#ifndef ELM_COMPOSE_H
#define ELM_COMPOSE_H

#include "elm/prompt.h"

struct elm_compose;
/* Borrows the problem. Fails: ELM_OUTSIDE where there is no such spot: a seed outside core C, an entry
 * of which nothing may change, comments among what may. */
enum elm_status elm_compose_open(const struct elm_problem *problem, struct elm_compose **out,
                                 struct elm_error *err);
void elm_compose_close(struct elm_compose *c);

/* Writes prompt (loaded, or the built-in one) and grammar; draws nothing. Same problem, same bytes.
 * Fails: as elm_prompt_load, elm_prompt_render. */
enum elm_status elm_compose_ask(const struct elm_compose *c, struct elm_prompt *prompt,
                                const char *prompts_folder, struct elm_request *request,
                                struct elm_error *err);
/* Appends the answer that makes the body of `program` (of the same names, checked). Literals that are
 * doubles keep `digits` digits (1..17): the rest is noise to whoever learns. False, and nothing is
 * appended, where the grammar admits no such answer. */
bool elm_compose_answer(const struct elm_compose *c, const struct elm_tree *program, int digits,
                        struct elm_buf *out);
/* Appends the whole text of the program that an answer makes. ELM_PARSE: it is not complete. */
enum elm_status elm_compose_program(const struct elm_compose *c, struct elm_str answer,
                                    struct elm_buf *out, struct elm_error *err);

#endif
