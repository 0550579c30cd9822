/* generator: its memory. Private to src/learn. */
#ifndef ELM_LEARN_GENERATOR_H
#define ELM_LEARN_GENERATOR_H

#include "learn/sketch.h"

#define GENERATOR_FUEL 1500
#define GENERATOR_CASES_MAX 64
#define GENERATOR_IN_BYTES_MAX 256
#define GENERATOR_WORDS_MAX 32           /* of a loaded case */

struct elm_generator {
    struct elm_generator_def def;
    struct sketch_names known;
    struct boolean_table *table;         /* NULL: of another family */
    struct elm_vm_memory *vm;
    struct elm_buf code;
    struct task_slots slots;
    struct sketch_head head;
    struct sketch_size size;
    struct sketch_tree target, plain, seed, scratch;
    uint64_t target_number;
    bool has_target, has_decoys;
    uint8_t in[ELM_SETS][GENERATOR_CASES_MAX * GENERATOR_IN_BYTES_MAX];
    union elm_value words[ELM_SETS][GENERATOR_CASES_MAX * GENERATOR_WORDS_MAX];     /* the same, loaded */
    uint32_t word_count;                 /* of a case */
    uint8_t changed_in[GENERATOR_IN_BYTES_MAX];
    uint8_t want[ELM_SETS][GENERATOR_CASES_MAX * 8];      /* one number comes back */
    uint8_t mask[GENERATOR_CASES_MAX * 8];
    char name[32], text[1];
    struct elm_task task;
};

bool generator_compile(struct elm_generator *g, struct sketch_tree *t);
/* Runs what was compiled on case c of `in`. False: it fails, or takes more steps. */
bool generator_run(struct elm_generator *g, const uint8_t *in, uint32_t c, uint64_t steps,
                   uint8_t out[8]);
/* Is b the number that a is, as the score has it? */
bool generator_same(const struct elm_generator *g, const uint8_t *a, const uint8_t *b);

/* ---- yardstick.c: what is kept out of the stream of training ---- */
/* Is there a sum of four different scalars? */
bool yardstick_sum(const struct sketch_tree *t);
/* Is the target, compiled and run on the shown cases, parity of four or a quadratic polynomial? */
bool yardstick_computes(struct elm_generator *g);

#endif
