/* train_rig: data and definitions that the tests of trainers share. */
#ifndef ELM_TESTS_TRAIN_RIG_H
#define ELM_TESTS_TRAIN_RIG_H

#include "model_rig.h"

#include "elm/dataset.h"
#include "elm/trainer.h"

#include <math.h>

struct train_rig {
    char folder[64], data[96], base[96], out[96], run[96];
    const char *runs[1];
};

static inline void rig_file(const char *path, const char *text)
{
    GIVES(ELM_OK, elm_file_write(path, elm_str(text), ERR));
}

/* A folder with `data` of 20 examples, a line each. */
static inline void train_rig_open(struct train_rig *r)
{
    struct elm_buf text = {0};
    const char *base = getenv("TMPDIR");
    snprintf(r->folder, sizeof(r->folder), "%.40s/elm-train-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(r->folder));
    snprintf(r->data, sizeof(r->data), "%s/data.jsonl", r->folder);
    snprintf(r->base, sizeof(r->base), "%s/base.gguf", r->folder);
    snprintf(r->out, sizeof(r->out), "%s/out.gguf", r->folder);
    snprintf(r->run, sizeof(r->run), "%s/run", r->folder);
    for (int i = 0; i < 20; i++)
        elm_buf_printf(&text, "{\"prompt\": \"add %d and %d: \", \"completion\": \"x = %d;\\n\"}\n",
                       i, 3 * i % 7, i + 3 * i % 7);
    rig_file(r->data, text.ptr);
    elm_buf_release(&text);
}

static inline void train_rig_close(struct train_rig *r)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", r->folder);
    assert_int_equal(system(command), 0);
}

/* From nothing to `base`: small enough for a test. */
static inline struct elm_train_def rig_scratch(const struct train_rig *r, const char *const *data)
{
    return (struct elm_train_def){
        .trainer = "scratch", .data = data, .data_count = 1, .out = r->base, .rate = 3e-3f,
        .warmup = 0.05f, .steps = 100, .batch = 8, .context = 64, .width = 64, .layers = 2,
        .vocabulary = 300, .seed = 3, .threads = 1, .checkpoint_s = 1000,
    };
}

static inline struct elm_train_stats rig_learn(const struct elm_train_def *def)
{
    struct elm_train_stats stats;
    GIVES(ELM_OK, elm_train(def, NULL, NULL, &stats, ERR));
    return stats;
}

/* The sum of the log-probabilities of an answer. */
static inline double rig_logprob(const char *model, const char *prompt, const char *answer)
{
    struct elm_net *n = NULL;
    GIVES(ELM_OK, elm_net_open(&(struct elm_net_def){.model = model, .precision = ELM_F32,
                                                     .threads = 1}, &n, ERR));
    struct elm_buf ids = {0};
    float logprobs[256];
    elm_tokenizer_encode(elm_net_tokenizer(n), elm_str(prompt), false, &ids);
    const uint32_t from = (uint32_t)(ids.len / 4);
    elm_tokenizer_encode(elm_net_tokenizer(n), elm_str(answer), false, &ids);
    struct elm_net_sequence s = {.tokens = (const uint32_t *)(const void *)ids.ptr,
                                 .count = (uint32_t)(ids.len / 4), .logprobs = logprobs};
    assert_in_range(s.count, 1, 256);
    GIVES(ELM_OK, elm_net_logprobs(n, &s, 1, ERR));
    double sum = 0;
    for (uint32_t i = from; i < s.count; i++)
        sum += (double)logprobs[i];
    elm_buf_release(&ids);
    elm_net_close(n);
    return sum;
}

#endif
