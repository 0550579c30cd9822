/*
 * dataset: what trainers of text learn from: prompts with answers, out of JSONL files in the forms of
 * TRL and out of run folders; and JSONL files out of it.
 *
 *   ELM_DATA_EXAMPLES   {"prompt", "completion"} or {"text"}
 *   ELM_DATA_PAIRS      {"prompt", "chosen", "rejected"}
 *   ELM_DATA_LABELS     {"prompt", "completion", "label": true | false}
 *   ELM_DATA_GROUPS     {"prompt", "answers": [...], "rewards": [...]}
 *
 * Of a run: what models were asked and answered. An example is an answer whose child was better than
 * its parent; a pair is a better and a worse one of one parent and operator; a group is all of one
 * parent and operator, the reward 1 for the better ones. What carries no label (undecided, suspect,
 * the evaluator's fault, a program known before) is left out.
 *
 * Or of runs, whoever made them: the programs that their archives admitted, as elm/compose.h asks for them.
 */
#ifndef ELM_DATASET_H
#define ELM_DATASET_H

#include "elm/net.h"

enum elm_data_kind { ELM_DATA_EXAMPLES, ELM_DATA_PAIRS, ELM_DATA_LABELS, ELM_DATA_GROUPS };

struct elm_data_answer {
    struct elm_str text;
    double reward;               /* example 1; pair 1, 0; label 1 or 0 */
};
struct elm_data_item {
    struct elm_str prompt;       /* empty: none, all of the answer is learnt */
    uint32_t first, count;       /* of its answers */
};
struct elm_dataset {
    struct elm_data_item *items;
    struct elm_data_answer *answers;
    uint32_t item_count, answer_count;
    struct elm_arena arena;      /* of the texts */
    bool graded;                 /* of runs: a reward is the rank of the fitness in its group, 0 to 1, and the
                                    pairs are the best of a group with each that is worse */
    bool shuffled;               /* outcomes change places among the answers of a run: a control */
    uint64_t seed;               /* of that */
};
/* Appends. A path is a run folder or a JSONL file. Fails: ELM_NOT_FOUND, ELM_IO, ELM_CORRUPT,
 * ELM_PARSE (file and line), ELM_RANGE (2^31 answers). */
enum elm_status elm_dataset_add(struct elm_dataset *d, enum elm_data_kind kind, const char *path,
                                struct elm_error *err);
/* Appends an example for every program that the runs admitted, the seed too, whose fitness is at least
 * `share` (0..1) of the best that any of these runs found for the same problem and variant in the same niche
 * (a cell of the measures; all is one niche without). What can't be asked for by elm/compose.h is left
 * out. Source: Lehman et al. 2022, section 6. Fails: ELM_USAGE (a run whose problem has no spot), as
 * elm_store_open. */
enum elm_status elm_dataset_add_admitted(struct elm_dataset *d, const char *const *runs,
                                         uint32_t run_count, double share, struct elm_error *err);
void elm_dataset_release(struct elm_dataset *d);
/* Appends the line of one item to `out`. Bytes that are no UTF-8 become U+FFFD. */
void elm_dataset_line(const struct elm_dataset *d, enum elm_data_kind kind, uint32_t item,
                      struct elm_buf *out);

/* A byte-level BPE tokenizer of up to `vocabulary` tokens (at least 257: bytes, and <|endoftext|> as
 * the last one) learnt from all texts of a dataset, as the bytes of a GGUF. Same texts, same bytes. */
enum elm_status elm_dataset_tokenizer(const struct elm_dataset *d, uint32_t vocabulary,
                                      struct elm_buf *gguf, struct elm_error *err);

/* ---- a net with its data in tokens: what every trainer of text begins with ---- */

struct elm_text_answer {
    uint32_t *tokens;
    uint32_t count;
    uint32_t from;               /* the first token that is learnt; those before are the prompt's */
};
struct elm_text {
    struct elm_net *net;
    struct elm_dataset data;
    struct elm_text_answer *answers;    /* of data.answers */
    uint32_t batch, context, longest;
    uint64_t seed, epoch;
    uint32_t *order;             /* of the items in this epoch */
    struct elm_buf vocabulary;
};
/* Loads data and model as the definition says; a trainer's own batch and context stand where it says
 * nothing. A definition without a model gets random weights and a tokenizer learnt from the data.
 * Fails: as elm_dataset_add and elm_net_open; ELM_USAGE (no data in the files, a bad shape). */
enum elm_status elm_text_open(const struct elm_train_def *def, enum elm_data_kind kind,
                              uint32_t batch, uint32_t context, struct elm_text **out,
                              struct elm_error *err);
void elm_text_close(struct elm_text *t);
/* The items of batch `step` (from 1): every epoch all items in another order. [t->batch] */
void elm_text_batch(struct elm_text *t, uint64_t step, uint32_t *items);
/* Sums of the log-probabilities of what is learnt of each answer, by the net as it is, or by
 * `reference` where that names a model. Both nullable: sums[data.answer_count],
 * tokens[data.answer_count][t->longest], every token's. */
enum elm_status elm_text_logprobs(struct elm_text *t, const struct elm_train_def *def,
                                  const char *reference, double *sums, float *tokens,
                                  struct elm_error *err);

#endif
