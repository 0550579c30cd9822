/* weights: between a model in memory and its file. */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "model/transformer.h"

uint64_t weights_count(const struct elm_model_config *c);    /* without the norms */
/* The shape that the metadata names. Fails: ELM_OUTSIDE, ELM_CORRUPT. */
enum elm_status weights_config(const struct elm_gguf *g, struct elm_model_config *out,
                               struct elm_error *err);
void weights_put_config(struct elm_gguf_writer *w, const struct elm_model_config *c);

#endif
