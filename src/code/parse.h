/* parse: what parse.c asks of its neighbours. Private to src/code. */
#ifndef ELM_CODE_PARSE_H
#define ELM_CODE_PARSE_H

#include "elm/code.h"

/* Appends the text with every bracket doubled that is neither a call's nor a cast's. */
void parse_double_brackets(struct elm_str text, struct elm_buf *out);

#endif
