/* text: a dataset in a net's tokens, batches of it, and what the net thinks of the answers. */
#include "learn/dataset.h"

#include "model/bpe.h"

#include <stdlib.h>
#include <string.h>

#define VOCABULARY_MOST 65536
#define VOCABULARY 1024          /* of random weights where the definition says nothing */
#define WIDTH 256
#define LAYERS 6
#define SCORED_TOKENS 8192       /* of a batch whose log-probabilities are taken */

enum elm_status elm_dataset_tokenizer(const struct elm_dataset *d, uint32_t vocabulary,
                                      struct elm_buf *gguf, struct elm_error *err)
{
    if (vocabulary < 257 || vocabulary > VOCABULARY_MOST)
        return elm_fail(err, ELM_USAGE, "a vocabulary of %u tokens: 257 to %d are allowed",
                        vocabulary, VOCABULARY_MOST);
    struct bpe *b = bpe_new();
    for (uint32_t i = 0; i < d->item_count; i++)
        bpe_text(b, d->items[i].prompt);
    for (uint32_t i = 0; i < d->answer_count; i++)
        bpe_text(b, d->answers[i].text);
    bpe_learn(b, vocabulary, gguf);
    bpe_free(b);
    return ELM_OK;
}

/* ---- tokens ---- */

static uint32_t count_of(const struct elm_buf *ids)
{
    return (uint32_t)(ids->len / sizeof(uint32_t));
}

static void spell(const struct elm_tokenizer *t, const char *text, bool special,
                  struct elm_buf *ids)
{
    elm_tokenizer_encode(t, elm_str(text), special, ids);
}

static bool knows_chat(const struct elm_tokenizer *t)
{
    struct elm_buf ids = {0};
    spell(t, "<|im_start|><|im_end|>", true, &ids);
    bool chat = count_of(&ids) == 2;
    elm_buf_release(&ids);
    return chat;
}

/* The words before an answer, as the backend `native` asks for it. */
static void put_prompt(const struct elm_tokenizer *t, struct elm_str prompt, bool chat,
                       struct elm_buf *ids)
{
    const int32_t bos = elm_tokenizer_bos(t);
    if (elm_tokenizer_add_bos(t) && bos >= 0)
        elm_buf_add(ids, &bos, sizeof(bos));
    if (prompt.len == 0)
        return;
    if (!chat) {
        elm_tokenizer_encode(t, prompt, false, ids);
        return;
    }
    struct elm_buf words = {0};
    elm_buf_add_str(&words, ELM_STR("user\n"));
    elm_buf_add_str(&words, prompt);
    spell(t, "<|im_start|>", true, ids);
    elm_tokenizer_encode(t, elm_buf_str(&words), false, ids);
    spell(t, "<|im_end|>", true, ids);
    spell(t, "\n", false, ids);
    spell(t, "<|im_start|>", true, ids);
    spell(t, "assistant\n", false, ids);
    elm_buf_release(&words);
}

/* Too long: the front of the prompt goes, then the end of the answer. */
static void cut(struct elm_text_answer *a, uint32_t most)
{
    const uint32_t answer = a->count - a->from;
    uint32_t gone = a->count > most ? a->count - most : 0;
    uint32_t front = gone < a->from ? gone : a->from;
    /* something stands before what is learnt */
    if (front == a->from && front > 0 && answer > 0)
        front--;
    memmove(a->tokens, a->tokens + front, (a->count - front) * sizeof(*a->tokens));
    a->count -= front;
    a->from -= front;
    a->count = a->count < most ? a->count : most;
}

static void take_answer(struct elm_text *t, uint32_t item, uint32_t answer, bool chat)
{
    const struct elm_tokenizer *tokenizer = elm_net_tokenizer(t->net);
    const int32_t eos = elm_tokenizer_eos(tokenizer);
    struct elm_text_answer *a = &t->answers[answer];
    struct elm_buf ids = {0};
    put_prompt(tokenizer, t->data.items[item].prompt, chat, &ids);
    a->from = count_of(&ids);
    elm_tokenizer_encode(tokenizer, t->data.answers[answer].text, false, &ids);
    if (eos >= 0)
        elm_buf_add(&ids, &eos, sizeof(eos));
    a->count = count_of(&ids);
    a->tokens = (uint32_t *)(void *)ids.ptr;
    cut(a, t->context);
    t->longest = a->count > t->longest ? a->count : t->longest;
}

static enum elm_status load_data(const struct elm_train_def *def, enum elm_data_kind kind,
                                 struct elm_dataset *d, struct elm_error *err)
{
    d->graded = def->labels != NULL && strcmp(def->labels, "graded") == 0;
    d->shuffled = def->shuffled;
    d->seed = def->seed;
    if (def->labels != NULL && !d->graded && strcmp(def->labels, "better") != 0)
        return elm_fail(err, ELM_USAGE, "labels '%.60s' of answers: better and graded are allowed",
                        def->labels);
    if (d->graded && kind == ELM_DATA_EXAMPLES)
        return elm_fail(err, ELM_USAGE, "labels 'graded': for the trainers dpo and grpo");
    if (def->admitted != 0 && (kind != ELM_DATA_EXAMPLES || !(def->admitted > 0 && def->admitted <= 1)))
        return elm_fail(err, ELM_USAGE, "admitted %g: a share above 0 and up to 1 is allowed, and the "
                        "trainers sft and scratch", (double)def->admitted);
    if (def->admitted > 0)
        ELM_TRY(elm_dataset_add_admitted(d, def->data, def->data_count, (double)def->admitted, err));
    for (uint32_t i = 0; def->admitted == 0 && i < def->data_count; i++)
        ELM_TRY(elm_dataset_add(d, kind, def->data[i], err));
    if (d->item_count == 0)
        return elm_fail(err, ELM_USAGE, "'%s'%s: nothing to learn from (of the form %s; of a run: "
                        "answers of models)", def->data[0], def->data_count > 1 ? " ..." : "",
                        dataset_form(kind));
    return ELM_OK;
}

/* Random weights: heads of 64 or 32, and SwiGLU's usual 8/3 of the width. Up to four heads share keys
 * and values (Ainslie et al. 2023, arXiv 2305.13245): reading those is what most of sampling is. */
static enum elm_status shape_of(const struct elm_train_def *def, uint32_t context,
                                struct elm_model_config *out, struct elm_error *err)
{
    const uint32_t width = def->width > 0 ? def->width : WIDTH;
    const uint32_t layers = def->layers > 0 ? def->layers : LAYERS;
    if (width % 32 != 0 || width > 4096 || layers > 256)
        return elm_fail(err, ELM_USAGE, "a model of width %u with %u layers: multiples of 32 up to "
                        "4096, and up to 256 layers are allowed", width, layers);
    const uint32_t head = width % 64 == 0 && width >= 128 ? 64 : 32, heads = width / head;
    uint32_t group = 4;
    while (heads % group != 0)
        group--;
    *out = (struct elm_model_config){
        .vocabulary = def->vocabulary > 0 ? def->vocabulary : VOCABULARY, .width = width,
        .layers = layers, .heads = heads, .kv_heads = heads / group, .head_width = head,
        .hidden = (width * 8 / 3 + 31) / 32 * 32, .context_max = context, .norm_epsilon = 1e-5f,
        .rope_base = 10000, .tied = true,
    };
    return ELM_OK;
}

static enum elm_status random_model(const struct elm_train_def *def, uint32_t context,
                                    struct elm_text *t, struct elm_model_config *config,
                                    struct elm_error *err)
{
    struct elm_gguf *g = NULL;
    uint64_t tokens = 0;
    ELM_TRY(shape_of(def, context, config, err));
    ELM_TRY(elm_dataset_tokenizer(&t->data, config->vocabulary, &t->vocabulary, err));
    ELM_TRY(elm_gguf_open_bytes(t->vocabulary.ptr, t->vocabulary.len, &g, err));
    elm_gguf_array(g, "tokenizer.ggml.tokens", &tokens);
    elm_gguf_close(g);
    config->vocabulary = (uint32_t)tokens;    /* fewer where the texts are short */
    return ELM_OK;
}

static enum elm_status open_net(const struct elm_train_def *def, uint32_t context,
                                struct elm_text *t, struct elm_error *err)
{
    struct elm_net_def n = {.model = def->model, .seed = def->seed, .lora_rank = def->lora_rank,
                            .lora_alpha = def->lora_alpha, .precision = ELM_BF16,
                            .threads = def->threads};
    struct elm_model_config config;
    if (def->model == NULL) {
        ELM_TRY(random_model(def, context, t, &config, err));
        n.config = &config;
        n.vocabulary = elm_buf_str(&t->vocabulary);
    }
    ELM_TRY(elm_net_open(&n, &t->net, err));
    if (elm_net_tokenizer(t->net) == NULL)
        return elm_fail(err, ELM_OUTSIDE, "model '%s' has no tokenizer: it can't learn from texts",
                        def->model);
    return ELM_OK;
}

enum elm_status elm_text_open(const struct elm_train_def *def, enum elm_data_kind kind,
                              uint32_t batch, uint32_t context, struct elm_text **out,
                              struct elm_error *err)
{
    struct elm_text *t = elm_calloc(1, sizeof(*t));
    enum elm_status status = load_data(def, kind, &t->data, err);
    if (status == ELM_OK)
        status = open_net(def, def->context > 0 ? def->context : context, t, err);
    if (status != ELM_OK) {
        elm_text_close(t);
        return status;
    }
    const uint32_t most = elm_net_config(t->net)->context_max;
    t->batch = def->batch > 0 ? def->batch : batch;
    t->context = def->context > 0 ? def->context : context;
    t->context = t->context < most ? t->context : most;
    t->seed = def->seed;
    t->epoch = UINT64_MAX;
    t->order = elm_calloc(t->data.item_count, sizeof(*t->order));
    t->answers = elm_calloc(t->data.answer_count, sizeof(*t->answers));
    const bool chat = knows_chat(elm_net_tokenizer(t->net));
    for (uint32_t i = 0; i < t->data.item_count; i++) {
        const struct elm_data_item *item = &t->data.items[i];
        for (uint32_t j = 0; j < item->count; j++)
            take_answer(t, i, item->first + j, chat);
    }
    *out = t;
    return ELM_OK;
}

void elm_text_close(struct elm_text *t)
{
    if (t == NULL)
        return;
    for (uint32_t i = 0; t->answers != NULL && i < t->data.answer_count; i++)
        free(t->answers[i].tokens);
    free(t->answers);
    free(t->order);
    elm_net_close(t->net);
    elm_buf_release(&t->vocabulary);
    elm_dataset_release(&t->data);
    free(t);
}

static void shuffle(struct elm_text *t, uint64_t epoch)
{
    struct elm_rng rng = elm_rng(t->seed, epoch);
    t->epoch = epoch;
    for (uint32_t i = 0; i < t->data.item_count; i++) {
        uint32_t j = elm_rng_below(&rng, i + 1);
        t->order[i] = t->order[j];
        t->order[j] = i;
    }
}

void elm_text_batch(struct elm_text *t, uint64_t step, uint32_t *items)
{
    for (uint32_t i = 0; i < t->batch; i++) {
        const uint64_t at = (step - 1) * t->batch + i;
        if (at / t->data.item_count != t->epoch)
            shuffle(t, at / t->data.item_count);
        items[i] = t->order[at % t->data.item_count];
    }
}

static enum elm_status score(struct elm_text *t, struct elm_net *net, double *sums, float *tokens,
                             struct elm_error *err)
{
    const uint32_t some = t->longest > SCORED_TOKENS / 2 ? 1 : SCORED_TOKENS / (t->longest + 1);
    struct elm_net_sequence *s = elm_calloc(some, sizeof(*s));
    float *logprobs = elm_malloc((size_t)some * t->longest * sizeof(float) + 1);
    enum elm_status status = ELM_OK;
    for (uint32_t from = 0; status == ELM_OK && from < t->data.answer_count; from += some) {
        const uint32_t rest = t->data.answer_count - from, count = rest < some ? rest : some;
        for (uint32_t i = 0; i < count; i++)
            s[i] = (struct elm_net_sequence){.tokens = t->answers[from + i].tokens,
                                             .count = t->answers[from + i].count,
                                             .logprobs = logprobs + (size_t)i * t->longest};
        status = elm_net_logprobs(net, s, count, err);
        for (uint32_t i = 0; status == ELM_OK && i < count; i++) {
            const struct elm_text_answer *a = &t->answers[from + i];
            double sum = 0;
            for (uint32_t j = a->from; j < a->count; j++)
                sum += (double)s[i].logprobs[j];
            if (sums != NULL)
                sums[from + i] = sum;
            if (tokens != NULL)
                memcpy(tokens + (size_t)(from + i) * t->longest, s[i].logprobs,
                       a->count * sizeof(float));
        }
    }
    free(s);
    free(logprobs);
    return status;
}

enum elm_status elm_text_logprobs(struct elm_text *t, const struct elm_train_def *def,
                                  const char *reference, double *sums, float *tokens,
                                  struct elm_error *err)
{
    if (reference == NULL)
        return score(t, t->net, sums, tokens, err);
    struct elm_net *other = NULL;
    ELM_TRY(elm_net_open(&(struct elm_net_def){.model = reference, .precision = ELM_BF16,
                                               .threads = def->threads}, &other, err));
    enum elm_status status = ELM_OK;
    if (elm_net_config(other)->vocabulary != elm_net_config(t->net)->vocabulary)
        status = elm_fail(err, ELM_USAGE, "reference '%s' has %u tokens, the model has %u", reference,
                          elm_net_config(other)->vocabulary, elm_net_config(t->net)->vocabulary);
    if (status == ELM_OK)
        status = score(t, other, sums, tokens, err);
    elm_net_close(other);
    return status;
}
