/* json: what jansson lacks. */
#ifndef ELM_CLI_JSON_H
#define ELM_CLI_JSON_H

#include "elm/base.h"

#include <jansson.h>
#include <stdio.h>

/* json_pack that must not fail: a format that doesn't fit its arguments is a bug. Foreign text goes
 * in through json_text, as `o`. */
#define json_make(...) json_whole(json_pack(__VA_ARGS__))
json_t *json_whole(json_t *value);
json_t *json_number(double x);              /* null when it is not finite */
json_t *json_text(struct elm_str text);     /* broken UTF-8 becomes U+FFFD; NULL ptr: null */
json_t *json_hash(uint64_t hash);           /* "00c0ffee00c0ffee"; null for 0 */
/* Prints the document and a newline, and frees it. Returns EXIT_DONE. */
int json_print(json_t *document, FILE *to, bool one_line);

#endif
