/* openness: open-endedness in words and JSON (show_openness.c). */
#ifndef ELM_CLI_OPENNESS_H
#define ELM_CLI_OPENNESS_H

#include "elm/openness.h"

#include <jansson.h>

/* "1: no more new activity than drift gives" */
const char *openness_class(enum elm_openness_class class);
/* The report but for its points. */
json_t *openness_json(const struct elm_openness_report *r);
json_t *openness_points_json(const struct elm_openness_report *r);

#endif
