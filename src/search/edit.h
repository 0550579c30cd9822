/* edit: scopes and names, shared by src/search/edit.c and src/search/grow.c. */
#ifndef ELM_SEARCH_EDIT_H
#define ELM_SEARCH_EDIT_H

#include "elm/operator.h"

#define ELM_SCOPE_MAX 64

struct elm_scope {
    struct elm_symbol symbol[ELM_SCOPE_MAX];
    uint32_t count;
};
void elm_scope_at(struct elm_scope *s, const struct elm_tree *t, uint32_t at);
/* A uniformly drawn symbol of the type; dims 0: any. NULL if none. */
const struct elm_symbol *elm_scope_pick(const struct elm_scope *s, struct elm_rng *rng,
                                        enum elm_type type, uint32_t dims);
uint32_t elm_symbol_dimensions(const struct elm_symbol *s);      /* 1 or 2 */
enum elm_type elm_array_of(enum elm_type element);
/* A fixed local name that neither the function nor the `taken` nodes use; UINT32_MAX if none. */
uint32_t elm_fresh_name(const struct elm_tree *t, uint32_t function,
                        const struct elm_node *taken, uint32_t taken_count);
/* Is `at` inside a loop of its function? */
bool elm_inside_loop(const struct elm_tree *t, uint32_t function, uint32_t at);

#endif
