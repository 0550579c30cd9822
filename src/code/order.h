/* order: expressions whose value depends on an order of evaluation that C leaves open. */
#ifndef ELM_CODE_ORDER_H
#define ELM_CODE_ORDER_H

#include "elm/code.h"

/* The first node of a checked program that reads or stores a variable while the same expression
 * stores it too, with no sequence point between; UINT32_MAX: there is none. An array counts as one
 * variable, and as another one than every other array. Source: C17 6.5, 6.5.2.2, annex C. */
uint32_t order_open(const struct elm_node *nodes);

#endif
