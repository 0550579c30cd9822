/*
 * rule: an optimizer that is a C file, as problems/adam evolves them:
 *
 *     void step(int n, double w[N], double g[N], double m[N], ..., int t, double lr)
 *
 * with none to seven arrays of memory after the gradient, all of one size N. It is core C and runs in the
 * virtual machine: every index is checked, its steps are counted, and it reaches nothing but its arguments.
 * A tensor is given to it in blocks of N elements, the last one shorter. Private to src/learn.
 */
#ifndef ELM_LEARN_RULE_H
#define ELM_LEARN_RULE_H

#include "elm/code.h"
#include "elm/optimizer.h"

#define RULE_RATE 1e-3f          /* to start from where the user says none */

struct rule;
/* threads: how many call rule_step. Fails: ELM_NOT_FOUND, ELM_IO, ELM_PARSE, ELM_OUTSIDE (file and line). */
enum elm_status rule_open(const char *path, uint32_t threads, struct rule **out, struct elm_error *err);
void rule_free(struct rule *r);
/* Is this word a file rather than the name of an optimizer? */
bool rule_is_file(const char *word);
uint32_t rule_slots(const struct rule *r);
uint32_t rule_block(const struct rule *r);       /* N */
uint64_t rule_hash(const struct rule *r);        /* of its text */

enum rule_end { RULE_OK, RULE_NOT_FINITE, RULE_FAILED /* + enum elm_vm_end */ };
const char *rule_end_name(uint8_t end);
/* Steps elements first .. first + count - 1 of a tensor. What stands in weights and state after
 * anything but RULE_OK is arbitrary. */
uint8_t rule_step(struct rule *r, uint32_t thread, const struct elm_optimizer_step *s, size_t first,
                  size_t count);

#endif
