/*
 * llama_check: llama.cpp as the reference.
 *   llama_check [MODEL]      logits, token ids and the backend `llama` against it; MODEL is a path or a
 *                            name, smollm2 by default
 *   llama_check --fixture    llama.cpp's logits of the models in tests/golden/logits_model.h
 * Exit: 0 all agree, 1 something differs, which the lines say.
 */
#include "../tests/golden/logits_model.h"

#include "elm/backend.h"
#include "elm/model.h"
#include "elm/models.h"
#include "elm/net.h"
#include "elm/problem.h"

#include <llama.h>

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define LOGITS_COUNT 64
#define F32_TOLERANCE 1e-2

static char folder[] = "/tmp/elm-llama-XXXXXX";
static bool bad;

static void silent(enum ggml_log_level level, const char *text, void *unused)
{
    (void)level, (void)text, (void)unused;
}

static void check(bool ok, const char *what)
{
    printf("%-5s %s\n", ok ? "ok" : "WRONG", what);
    bad = bad || !ok;
}

static void must(enum elm_status status, const struct elm_error *err)
{
    if (status != ELM_OK) {
        fprintf(stderr, "llama_check: %s\n", err->message);
        exit(1);
    }
}

static char *file(const char *name)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", folder, name);
    return path.ptr;
}

/* ---- logits ---- */

/* llama.cpp's logits of every position, f32 throughout, with an adapter (nullable). Returns the size of
 * the vocabulary. */
static uint32_t adapted(const char *path, const char *adapter, const uint32_t *tokens, uint32_t count,
                        float **logits)
{
    struct llama_model *m = llama_model_load_from_file(path, llama_model_default_params());
    struct llama_context_params p = llama_context_default_params();
    p.n_threads = p.n_threads_batch = 1;
    p.n_ctx = p.n_batch = p.n_ubatch = p.n_outputs_max = p.n_outputs_max_per_seq = LOGITS_COUNT;
    p.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    p.type_k = p.type_v = GGML_TYPE_F32;
    struct llama_context *c = m != NULL ? llama_init_from_model(m, p) : NULL;
    if (c == NULL) {
        fprintf(stderr, "llama_check: llama.cpp can't load '%s'\n", path);
        exit(1);
    }
    float scale = 1;
    struct llama_adapter_lora *lora = adapter == NULL ? NULL : llama_adapter_lora_init(m, adapter);
    if (adapter != NULL && (lora == NULL || llama_set_adapters_lora(c, &lora, 1, &scale) != 0)) {
        fprintf(stderr, "llama_check: llama.cpp can't load the adapter '%s'\n", adapter);
        exit(1);
    }
    uint32_t vocabulary = (uint32_t)llama_vocab_n_tokens(llama_model_get_vocab(m));
    struct llama_batch b = llama_batch_init((int32_t)count, 0, 1);
    for (uint32_t i = 0; i < count; i++) {
        b.token[i] = (llama_token)tokens[i];
        b.pos[i] = (llama_pos)i;
        b.n_seq_id[i] = 1;
        b.seq_id[i][0] = 0;
        b.logits[i] = true;
    }
    b.n_tokens = (int32_t)count;
    if (llama_decode(c, b) != 0) {
        fprintf(stderr, "llama_check: llama.cpp can't decode '%s'\n", path);
        exit(1);
    }
    *logits = elm_malloc((size_t)count * vocabulary * sizeof(float));
    for (uint32_t i = 0; i < count; i++)
        memcpy(*logits + (size_t)i * vocabulary, llama_get_logits_ith(c, (int32_t)i),
               vocabulary * sizeof(float));
    llama_batch_free(b);
    llama_free(c);
    llama_model_free(m);
    return vocabulary;
}

static uint32_t reference(const char *path, const uint32_t *tokens, uint32_t count, float **logits)
{
    return adapted(path, NULL, tokens, count, logits);
}

static double difference(const float *a, const float *b, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        most = d > most || isnan(d) ? d : most;
    }
    return most;
}

static float *native(const char *path, enum elm_precision precision, const uint32_t *tokens,
                     uint32_t count, const char **kernel)
{
    struct elm_error err = {0};
    struct elm_model *m;
    must(elm_model_open(path, precision, ELM_KERNEL_AUTO, &m, &err), &err);
    struct elm_session *s = elm_session_new(m, 1);
    float *logits = elm_malloc((size_t)count * elm_model_config(m)->vocabulary * sizeof(float));
    must(elm_session_logits(s, tokens, count, logits, &err), &err);
    *kernel = elm_model_kernel(m);
    elm_session_free(s);
    elm_model_close(m);
    return logits;
}

/* elm's runtime on the model at `path` against llama.cpp on the same weights at `wide`, in f32. */
static void compare_logits(const char *name, const char *path, const char *wide,
                           const uint32_t *tokens, uint32_t count)
{
    float *want, largest = 0;
    uint32_t vocabulary = reference(wide, tokens, count, &want);
    size_t all = (size_t)count * vocabulary;
    for (size_t i = 0; i < all; i++)
        largest = fabsf(want[i]) > largest ? fabsf(want[i]) : largest;
    for (int p = 0; p < 2; p++) {
        const char *kernel;
        char line[200];
        float *got = native(path, p == 0 ? ELM_F32 : ELM_BF16, tokens, count, &kernel);
        double most = difference(got, want, all);
        snprintf(line, sizeof(line), "logits of %s, %s, %s: at most %.2g apart, largest logit %.2f",
                 name, p == 0 ? "f32" : "bf16", kernel, most, (double)largest);
        check(p == 0 ? most <= F32_TOLERANCE : isfinite(most), line);
        free(got);
    }
    free(want);
}

static void check_small(void)
{
    struct elm_error err = {0};
    struct elm_model_config config = {.vocabulary = 1024, .width = 256, .layers = 6, .heads = 4,
                                      .kv_heads = 4, .head_width = 64, .hidden = 704,
                                      .context_max = 256, .norm_epsilon = 1e-5f,
                                      .rope_base = 10000, .tied = true};
    struct elm_model *m;
    uint32_t tokens[LOGITS_COUNT];
    char *path = file("random.gguf");
    must(elm_model_random(&config, 1, ELM_F32, ELM_KERNEL_AUTO, &m, &err), &err);
    must(elm_model_write(m, path, &err), &err);
    elm_model_close(m);
    for (uint32_t i = 0; i < LOGITS_COUNT; i++)
        tokens[i] = i * 131 % config.vocabulary;
    compare_logits("a random model", path, path, tokens, LOGITS_COUNT);
    unlink(path);
    free(path);
    for (uint32_t i = 0; i < LOGITS_TOKENS; i++)
        tokens[i] = logits_token(i);
    for (size_t i = 0; i < ELM_COUNT(logits_shapes); i++) {
        path = file(logits_shapes[i].name);
        must(logits_model_write(&logits_shapes[i], path, &err), &err);
        compare_logits(logits_shapes[i].name, path, path, tokens, LOGITS_TOKENS);
        unlink(path);
        free(path);
    }
}

static const char text[] =
    "/* Sorts n numbers, the smallest first. */\n"
    "static void sort(int *a, int n)\n{\n    for (int i = 1; i < n; i++) {\n"
    "        int x = a[i], j = i;\n        while (j > 0 && a[j - 1] > x) {\n"
    "            a[j] = a[j - 1];\n            j--;\n        }\n        a[j] = x;\n    }\n}\n";

static void convert(const char *path, const char *to, enum llama_ftype type)
{
    struct llama_model_quantize_params q = llama_model_quantize_default_params();
    q.ftype = type;
    q.allow_requantize = true;
    q.nthread = 1;
    if (llama_model_quantize(path, to, &q) != 0) {
        fprintf(stderr, "llama_check: llama.cpp can't convert '%s'\n", path);
        exit(1);
    }
}

/* Weights as if something had been learnt. */
static void stir(struct elm_net *n, uint64_t seed)
{
    uint32_t count;
    const struct elm_parameter *p = elm_net_parameters(n, &count);
    struct elm_rng rng = elm_rng(seed, 0);
    for (uint32_t i = 0; i < count; i++) {
        for (size_t j = 0; j < (size_t)p[i].rows * p[i].cols; j++)
            p[i].weights[j] += 0.05f * (float)elm_rng_normal(&rng);
    }
}

static void write_net(const struct elm_net_def *def, const char *path)
{
    struct elm_error err = {0};
    struct elm_net *n;
    must(elm_net_open(def, &n, &err), &err);
    stir(n, 3);
    must(elm_net_write(n, path, &err), &err);
    elm_net_close(n);
}

/* What a net writes: a model, and an adapter for it. */
static void check_trained(void)
{
    static const struct elm_model_config config = {
        .vocabulary = 512, .width = 128, .layers = 3, .heads = 4, .kv_heads = 2, .head_width = 32,
        .hidden = 320, .context_max = 256, .norm_epsilon = 1e-5f, .rope_base = 10000, .tied = true,
    };
    struct elm_error err = {0};
    char *path = file("trained.gguf"), *adapter = file("adapter.gguf");
    char *wide = file("wide.gguf"), line[200];
    uint32_t tokens[LOGITS_COUNT];
    float *want, *plain, *got;
    for (uint32_t i = 0; i < LOGITS_COUNT; i++)
        tokens[i] = i * 131 % config.vocabulary;
    write_net(&(struct elm_net_def){.config = &config, .seed = 1, .threads = 1}, path);
    write_net(&(struct elm_net_def){.model = path, .seed = 2, .threads = 1, .lora_rank = 8,
                                    .lora_alpha = 16}, adapter);
    /* with matrices in bf16 llama.cpp narrows the left sides, too */
    convert(path, wide, LLAMA_FTYPE_ALL_F32);
    compare_logits("a net's model", path, wide, tokens, LOGITS_COUNT);
    const size_t all = (size_t)LOGITS_COUNT * config.vocabulary;
    adapted(wide, adapter, tokens, LOGITS_COUNT, &want);
    reference(wide, tokens, LOGITS_COUNT, &plain);
    struct elm_model *m;
    must(elm_model_open(path, ELM_F32, ELM_KERNEL_AUTO, &m, &err), &err);
    must(elm_model_adapt(m, adapter, &err), &err);
    struct elm_session *s = elm_session_new(m, 1);
    got = elm_malloc(all * sizeof(float));
    must(elm_session_logits(s, tokens, LOGITS_COUNT, got, &err), &err);
    double most = difference(got, want, all), moved = difference(plain, want, all);
    snprintf(line, sizeof(line), "logits of it with an adapter, f32: at most %.2g apart; the adapter "
             "moves them by %.2g", most, moved);
    check(most <= F32_TOLERANCE && moved > 100 * F32_TOLERANCE, line);
    elm_session_free(s);
    elm_model_close(m);
    free(want);
    free(plain);
    free(got);
    unlink(path);
    unlink(adapter);
    unlink(wide);
    free(path);
    free(wide);
    free(adapter);
}

/* What bf16 costs llama.cpp itself: the measure of elm's. */
static void check_narrow(const char *path, const char *wide, const uint32_t *tokens,
                         uint32_t count)
{
    char *narrow = file("narrow.gguf"), line[200];
    float *want, *got;
    convert(path, narrow, LLAMA_FTYPE_MOSTLY_BF16);
    uint32_t vocabulary = reference(wide, tokens, count, &want);
    reference(narrow, tokens, count, &got);
    double most = difference(got, want, (size_t)count * vocabulary);
    snprintf(line, sizeof(line), "logits of the model, bf16, llama.cpp: at most %.2g apart", most);
    check(isfinite(most), line);
    free(want);
    free(got);
    unlink(narrow);
    free(narrow);
}

/* The weights of a quantised model: as llama.cpp widens them, and as elm writes them. */
static void check_model(const char *path, const char *wide)
{
    struct elm_error err = {0};
    struct elm_gguf *g;
    struct elm_tokenizer *t;
    struct elm_buf ids = {0};
    must(elm_gguf_open(path, &g, &err), &err);
    must(elm_tokenizer_new(g, &t, &err), &err);
    elm_tokenizer_encode(t, elm_str(text), false, &ids);
    uint32_t count = (uint32_t)(ids.len / sizeof(uint32_t));
    const uint32_t *tokens = (const uint32_t *)(const void *)ids.ptr;
    count = count < LOGITS_COUNT ? count : LOGITS_COUNT;

    char *written = file("written.gguf");
    compare_logits("the model", path, wide, tokens, count);
    check_narrow(path, wide, tokens, count);
    struct elm_model *m;
    float *ours, *theirs;
    must(elm_model_open(path, ELM_F32, ELM_KERNEL_AUTO, &m, &err), &err);
    must(elm_model_write(m, written, &err), &err);
    elm_model_close(m);
    uint32_t vocabulary = reference(written, tokens, count, &ours);
    reference(wide, tokens, count, &theirs);
    check(difference(ours, theirs, (size_t)count * vocabulary) == 0,
          "the file that elm writes has the logits of llama.cpp's own, bit for bit");
    free(ours);
    free(theirs);
    unlink(written);
    free(written);
    elm_buf_release(&ids);
    elm_tokenizer_free(t);
    elm_gguf_close(g);
}

static int write_fixture(void)
{
    struct elm_error err = {0};
    uint32_t tokens[LOGITS_TOKENS];
    for (uint32_t i = 0; i < LOGITS_TOKENS; i++)
        tokens[i] = logits_token(i);
    for (size_t i = 0; i < ELM_COUNT(logits_shapes); i++) {
        char *path = file(logits_shapes[i].name);
        float *logits;
        must(logits_model_write(&logits_shapes[i], path, &err), &err);
        reference(path, tokens, LOGITS_TOKENS, &logits);
        for (uint32_t k = 0; k < LOGITS_TOKENS * LOGITS_VOCABULARY; k++)
            printf("%.6f%c", (double)logits[k], (k + 1) % LOGITS_VOCABULARY > 0 ? ' ' : '\n');
        free(logits);
        unlink(path);
        free(path);
    }
    return 0;
}

/* ---- token ids ---- */

/* Valid UTF-8: of other bytes llama.cpp makes U+FFFD, elm keeps them. */
static const char *const texts[] = {
    "", " ", "  ", "\n", "\n\n\n", " \n \n", "\t\tx", "a", " a", "Hello, world!", "don't we'll I'M they've",
    "int main(void)\n{\n    return 0;\n}\n", "x+=y<<3;//z", "0x1F 3.14159e-10 1234567890 007",
    "    for (int i = 0; i < n; i++)\n        a[i] = b[i] * 2;\n", "naïve café résumé", "Straße",
    "日本語のテキスト", "Привет, мир", "مرحبا", "नमस्ते", "🙂👩‍👩‍👧‍👦🇩🇪", "a\xcc\x81", "\xc2\xa0\xe2\x80\x83x",
    "½ ² ⅷ ٣", "_under__score", "CamelCaseName", "ALLCAPS lower", "trailing spaces   ", "   leading",
    "<|im_start|>user\nhi<|im_end|>\n", "<|endoftext|>", "<|im_start", "|im_end|>", "a<|im_end|>b<|im_end|>",
    "\x01\x02\x7f", "\r\n\r\n", "a\r\nb", "''''''", "\"quoted\"", "'s 't 're 've 'd 'll 'm",
    "#include <stdio.h>", "printf(\"%d\\n\", x);", "/* comment */", "a->b.c[d]", "1+1=2", "100%", "$5.00",
    "https://example.org/a?b=c&d=e", "e\xcc\x81\xcc\xa3", "\xe2\x80\x94 dash\xe2\x80\xa6", "tab\tseparated\tvalues",
};

/* A text of pieces that tokenizers trip over. */
static void random_text(struct elm_rng *rng, struct elm_buf *out)
{
    static const char *const pieces[] = {
        " ", "  ", "\n", "\t", "a", "Z", "the", "int", "'s", "'ll", "'T", "9", "2024", "é", "ß", "語", "и",
        "🙂", "\xc2\xa0", "\xcc\x81", "(", ");", "{}", "->", "==", "_", "\\", "\"", "/*", "\r\n",
        "return", "²", "ⅷ", "<|im_end|>", "<|", ".", ",", "!",
    };
    elm_buf_clear(out);
    for (uint32_t i = elm_rng_below(rng, 40); i-- > 0;)
        elm_buf_add_str(out, elm_str(pieces[elm_rng_below(rng, ELM_COUNT(pieces))]));
}

static bool ids_equal(const struct elm_tokenizer *t, const struct llama_vocab *v, struct elm_str s,
                      bool special)
{
    llama_token theirs[4096];
    struct elm_buf ours = {0};
    elm_tokenizer_encode(t, s, special, &ours);
    int32_t count = llama_tokenize(v, s.len > 0 ? s.ptr : "", (int32_t)s.len, theirs,
                                   ELM_COUNT(theirs), false, special);
    bool same = count >= 0 && ours.len == (size_t)count * sizeof(theirs[0]) &&
                (count == 0 || memcmp(ours.ptr, theirs, ours.len) == 0);
    elm_buf_release(&ours);
    return same;
}

/* A file with the vocabulary of a model and another pre-tokenizer (NULL: its own). */
static void check_ids(const struct elm_gguf *model, const char *pre)
{
    struct elm_error err = {0};
    struct elm_gguf *g;
    struct elm_tokenizer *t;
    char *path = file("vocabulary.gguf"), line[200];
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    if (pre != NULL)
        elm_gguf_put_string(w, "tokenizer.ggml.pre", elm_str(pre));
    elm_gguf_put_all(w, model);
    must(elm_gguf_write(w, path, &err), &err);
    elm_gguf_writer_free(w);
    must(elm_gguf_open(path, &g, &err), &err);
    must(elm_tokenizer_new(g, &t, &err), &err);
    struct llama_model_params p = llama_model_default_params();
    p.vocab_only = true;
    struct llama_model *m = llama_model_load_from_file(path, p);
    if (m == NULL) {
        fprintf(stderr, "llama_check: llama.cpp can't load a vocabulary\n");
        exit(1);
    }
    const struct llama_vocab *v = llama_model_get_vocab(m);
    struct elm_rng rng = elm_rng(1, 0);
    struct elm_buf drawn = {0};
    uint32_t wrong = 0, count = 0;
    for (uint32_t i = 0; i < ELM_COUNT(texts) + 400; i++) {
        struct elm_str s = i < ELM_COUNT(texts) ? elm_str(texts[i]) : (struct elm_str){0};
        if (i >= ELM_COUNT(texts)) {
            random_text(&rng, &drawn);
            s = elm_buf_str(&drawn);
        }
        for (int special = 0; special < 2; special++, count++) {
            if (!ids_equal(t, v, s, special)) {
                if (wrong++ < 5)
                    printf("      differs%s: '%.*s'\n", special ? " (special)" : "", (int)s.len,
                           s.ptr);
            }
        }
    }
    snprintf(line, sizeof(line), "token ids, pre-tokenizer %s: %u of %u texts differ",
             pre != NULL ? pre : "of the model", wrong, count);
    check(wrong == 0, line);
    elm_buf_release(&drawn);
    llama_model_free(m);
    elm_tokenizer_free(t);
    elm_gguf_close(g);
    unlink(path);
    free(path);
}

/* ---- the backend ---- */

struct asked {
    struct elm_request *requests;
    struct elm_reply *replies;
    uint32_t count;
};

static struct asked ask(uint32_t count, uint32_t tokens_max)
{
    struct asked a = {elm_calloc(count, sizeof(struct elm_request)),
                      elm_calloc(count, sizeof(struct elm_reply)), count};
    for (uint32_t i = 0; i < count; i++) {
        struct elm_request *r = &a.requests[i];
        r->seed = i;
        r->tokens_max = tokens_max;
        r->temperature = (float)(i % 3) / 2;
        elm_buf_printf(&r->system, "You write C.");
        elm_buf_printf(&r->prompt, "Write a function that adds %u to its argument.", i % 5);
    }
    return a;
}

static void forget_replies(struct asked *a)
{
    for (uint32_t i = 0; i < a->count; i++)
        elm_reply_release(&a->replies[i]);
}

static void forget(struct asked *a)
{
    forget_replies(a);
    for (uint32_t i = 0; i < a->count; i++)
        elm_request_release(&a->requests[i]);
    free(a->requests);
    free(a->replies);
}

static bool replies_equal(const struct asked *a, const struct asked *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct elm_reply *x = &a->replies[i], *y = &b->replies[i];
        if (x->end != y->end || !elm_str_equal(elm_buf_str(&x->text), elm_buf_str(&y->text)) ||
            !elm_str_equal(elm_buf_str(&x->logprobs), elm_buf_str(&y->logprobs)))
            return false;
    }
    return true;
}

struct caller {
    const struct elm_backend_kind *kind;
    void *self;
    uint32_t lane;
    struct asked asked;
    enum elm_status status;
};

static void *call(void *arg)
{
    struct caller *c = arg;
    struct elm_error err;
    c->status = c->kind->complete(c->self, c->lane, c->asked.requests, c->asked.count,
                                  c->asked.replies, &err);
    return NULL;
}

static void *open_backend(const struct elm_backend_kind *kind, struct elm_backend_def def)
{
    struct elm_error err = {0};
    void *self;
    def.lanes = 2;
    must(kind->open(&def, &self, &err), &err);
    return self;
}

static void check_answers(const struct elm_backend_kind *kind, void *self)
{
    struct caller one = {kind, self, 0, ask(9, 24), ELM_FAIL};
    struct caller two = {kind, self, 1, ask(9, 24), ELM_FAIL};
    call(&one);
    call(&two);
    check(one.status == ELM_OK && one.asked.replies[0].text.len > 0 &&
          replies_equal(&one.asked, &two.asked), "equal requests get equal answers");
    forget_replies(&two.asked);
    struct caller three = {kind, self, 0, ask(9, 24), ELM_FAIL};
    pthread_t thread;
    pthread_create(&thread, NULL, call, &two);
    call(&three);
    pthread_join(thread, NULL);
    check(replies_equal(&one.asked, &two.asked) && replies_equal(&one.asked, &three.asked),
          "and from two lanes at once");
    forget_replies(&two.asked);
    for (uint32_t i = 0; i < two.asked.count; i++) {
        struct caller alone = two;
        alone.asked = (struct asked){&two.asked.requests[i], &two.asked.replies[i], 1};
        call(&alone);
    }
    check(replies_equal(&one.asked, &two.asked), "and each alone");
    forget(&one.asked);
    forget(&two.asked);
    forget(&three.asked);

    struct caller many = {kind, self, 0, ask(150, 2), ELM_FAIL};
    uint32_t answered = 0;
    call(&many);
    for (uint32_t i = 0; i < 150; i++)
        answered += many.asked.replies[i].tokens > 0 &&
                    many.asked.replies[i].end != ELM_REPLY_FAILED;
    check(many.status == ELM_OK && answered == 150, "150 requests in one call, more than slots");
    forget(&many.asked);

    struct caller stop = {kind, self, 0, ask(2, 60), ELM_FAIL};
    stop.asked.requests[0].stop = stop.asked.requests[1].stop = "(";
    call(&stop);
    check(stop.asked.replies[0].end == ELM_REPLY_DONE && stop.asked.replies[0].text.len > 0 &&
          strchr(stop.asked.replies[0].text.ptr, '(') == NULL,
          "an answer ends before the stop string");
    forget(&stop.asked);

    struct caller words = {kind, self, 0, ask(2, 1), ELM_FAIL};
    elm_buf_add_str(&words.asked.requests[1].prompt, ELM_STR("<|im_end|>"));
    call(&words);
    check(words.asked.replies[1].prompt_tokens > words.asked.replies[0].prompt_tokens + 2,
          "control tokens spelled out in a prompt are words");
    forget(&words.asked);
}

/* A request for one node of a program written anew. False: that node has no grammar. */
static bool ask_span(struct elm_problem *p, uint32_t at, struct elm_request *r)
{
    size_t from, to;
    if (elm_grammar_new(&p->seed, p->names, at, 1, 20, &r->grammar, NULL) != ELM_OK)
        return false;
    elm_tree_print_spot(&p->seed, p->names, at, 1, &r->prompt, &from, &to);
    while (from > 0 && (r->prompt.ptr[from - 1] == ' ' || r->prompt.ptr[from - 1] == '\n'))
        from--;
    r->prompt.len = from;
    r->raw = true;
    r->temperature = 1;
    r->tokens_max = 100;
    return true;
}

static void check_masks(const struct elm_backend_kind *kind, void *self)
{
    struct elm_error err = {0};
    struct elm_problem *p;
    struct elm_arena arena = {0};
    must(elm_problem_load("sort", "problems", &p, &err), &err);
    struct asked asked = {elm_calloc(48, sizeof(struct elm_request)),
                          elm_calloc(48, sizeof(struct elm_reply)), 0};
    for (uint32_t at = 1; at < p->seed.count && asked.count < 48; at++) {
        struct elm_request *r = &asked.requests[asked.count];
        r->seed = at;
        asked.count += p->seed.nodes[at].kind > ELM_NODE_TEXT && ask_span(p, at, r);
    }
    struct caller c = {kind, self, 0, asked, ELM_FAIL};
    uint32_t done = 0, parsed = 0, kids;
    call(&c);
    for (uint32_t i = 0; i < asked.count; i++) {
        const struct elm_node *nodes;
        uint32_t count;
        if (asked.replies[i].end != ELM_REPLY_DONE)
            continue;
        done++;
        parsed += elm_grammar_nodes(asked.requests[i].grammar, p->names,
                                    elm_buf_str(&asked.replies[i].text), &arena, &nodes, &count,
                                    &kids, &err) == ELM_OK;
    }
    char line[100];
    snprintf(line, sizeof(line), "masks: %u spans, %u written to their end, %u parse", asked.count,
             done, parsed);
    check(c.status == ELM_OK && done > asked.count / 2 && parsed == done, line);
    forget(&c.asked);
    elm_arena_release(&arena);
    elm_problem_free(p);
}

/* The log-probabilities of an answer against elm's logits of the same tokens, in f32. */
static void check_logprobs(const struct elm_backend_kind *kind, const char *path)
{
    struct elm_error err = {0};
    struct elm_model *m;
    struct elm_buf ids = {0};
    double most = 0;
    void *self = open_backend(kind, (struct elm_backend_def){.model = path});
    struct caller c = {kind, self, 0, ask(1, 40), ELM_FAIL};
    c.asked.requests[0].raw = true;
    c.asked.requests[0].temperature = 1;
    call(&c);
    kind->close(self);
    must(elm_model_open(path, ELM_F32, ELM_KERNEL_AUTO, &m, &err), &err);
    elm_tokenizer_encode(elm_model_tokenizer(m), elm_buf_str(&c.asked.requests[0].prompt), false,
                         &ids);
    uint32_t prompt = (uint32_t)(ids.len / sizeof(uint32_t)), answer = c.asked.replies[0].tokens;
    uint32_t vocabulary = elm_model_config(m)->vocabulary;
    elm_buf_add(&ids, c.asked.replies[0].token_ids.ptr, c.asked.replies[0].token_ids.len);
    const uint32_t *tokens = (const uint32_t *)(const void *)ids.ptr;
    const float *reported = (const float *)(const void *)c.asked.replies[0].logprobs.ptr;
    struct elm_session *s = elm_session_new(m, 1);
    float *logits = elm_malloc((size_t)(prompt + answer) * vocabulary * sizeof(float));
    must(elm_session_logits(s, tokens, prompt + answer, logits, &err), &err);
    for (uint32_t i = 0; i < answer; i++) {
        const float *row = logits + (size_t)(prompt + i - 1) * vocabulary;
        double sum = 0, own = (double)row[tokens[prompt + i]];
        for (uint32_t k = 0; k < vocabulary; k++)
            sum += exp((double)row[k] - own);
        most = fmax(most, fabs(-log(sum) - (double)reported[i]));
    }
    char line[100];
    snprintf(line, sizeof(line), "log-probabilities of %u tokens, at most %.2g apart", answer, most);
    check(answer > 0 && most < 0.05, line);
    free(logits);
    elm_session_free(s);
    elm_model_close(m);
    elm_buf_release(&ids);
    forget(&c.asked);
}

static void check_limits(const struct elm_backend_kind *kind, const char *path)
{
    struct elm_error err = {0};
    void *self = open_backend(kind, (struct elm_backend_def){.model = path, .tokens_budget = 200});
    struct caller spend = {kind, self, 0, ask(20, 20), ELM_FAIL};
    struct elm_backend_totals totals;
    call(&spend);
    kind->totals(self, &totals);
    check(spend.status == ELM_RANGE && totals.prompt_tokens + totals.tokens <= 200 &&
          spend.asked.replies[0].end != ELM_REPLY_FAILED && totals.failed > 0 &&
          spend.asked.replies[19].end == ELM_REPLY_FAILED, "a token budget is a hard stop");
    forget(&spend.asked);
    kind->close(self);

    self = open_backend(kind, (struct elm_backend_def){.model = path});
    struct caller endless = {kind, self, 0, ask(8, 1500), ELM_FAIL};
    pthread_t thread;
    int64_t from = elm_clock_us();
    pthread_create(&thread, NULL, call, &endless);
    usleep(300000);
    kind->cancel(self);
    pthread_join(thread, NULL);
    check(endless.status == ELM_STOPPED && elm_clock_us() - from < 2000000,
          "cancel ends a call soon");
    forget(&endless.asked);
    struct caller later = {kind, self, 0, ask(1, 4), ELM_FAIL};
    call(&later);
    check(later.status == ELM_OK, "and not the next one");
    forget(&later.asked);
    kind->close(self);

    struct elm_backend_def def = {.model = "/nowhere/x.gguf", .lanes = 1};
    check(kind->open(&def, &self, &err) == ELM_NOT_FOUND, "a model that is not there");
    def.model = "./README.md";
    check(kind->open(&def, &self, &err) == ELM_CORRUPT, "a model that is none");
    printf("      %s\n", err.message);
}

/* A LoRA adapter on the first layer's queries, all `b` in its second half. */
static char *adapter_file(const struct elm_gguf *model, const char *name, float b)
{
    struct elm_error err = {0};
    const struct elm_gguf_tensor *q = elm_gguf_tensor(model, "blk.0.attn_q.weight");
    uint64_t rank = 4, in[4] = {q->dims[0], rank, 1, 1}, out[4] = {rank, q->dims[1], 1, 1};
    float *first = elm_malloc(in[0] * rank * sizeof(float));
    float *second = elm_malloc(out[1] * rank * sizeof(float));
    struct elm_rng rng = elm_rng(1, 1);
    for (uint64_t i = 0; i < in[0] * rank; i++)
        first[i] = (float)elm_rng_normal(&rng);
    for (uint64_t i = 0; i < out[1] * rank; i++)
        second[i] = i % 2 == 0 ? b : -b;
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    elm_gguf_put_string(w, "general.type", ELM_STR("adapter"));
    elm_gguf_put_string(w, "general.architecture", ELM_STR("llama"));
    elm_gguf_put_string(w, "adapter.type", ELM_STR("lora"));
    elm_gguf_put_real(w, "adapter.lora.alpha", (double)rank);
    elm_gguf_put_tensor(w, "blk.0.attn_q.weight.lora_a", ELM_GGUF_F32, 2, in, first);
    elm_gguf_put_tensor(w, "blk.0.attn_q.weight.lora_b", ELM_GGUF_F32, 2, out, second);
    char *path = file(name);
    must(elm_gguf_write(w, path, &err), &err);
    elm_gguf_writer_free(w);
    free(first);
    free(second);
    return path;
}

static void check_adapter(const struct elm_backend_kind *kind, const char *path)
{
    struct elm_error err = {0};
    struct elm_gguf *g;
    must(elm_gguf_open(path, &g, &err), &err);
    char *nothing = adapter_file(g, "nothing.gguf", 0), *much = adapter_file(g, "much.gguf", 1);
    const char *const adapters[] = {NULL, nothing, much};
    struct caller c[3];
    for (int i = 0; i < 3; i++) {
        const struct elm_backend_def def = {.model = path, .adapter = adapters[i]};
        void *self = open_backend(kind, def);
        c[i] = (struct caller){kind, self, 0, ask(3, 16), ELM_FAIL};
        call(&c[i]);
        kind->close(self);
    }
    check(replies_equal(&c[0].asked, &c[1].asked) && !replies_equal(&c[0].asked, &c[2].asked),
          "an adapter of zeros changes nothing, another one does");
    /* the same in one backend that lives on; what can't be read leaves it as it is */
    void *self = open_backend(kind, (struct elm_backend_def){.model = path, .adapter = nothing});
    bool same = true;
    static const int order[] = {1, 2, 0, 2, 1};
    for (size_t i = 0; i < ELM_COUNT(order); i++) {
        must(i == 0 ? ELM_OK : kind->adapt(self, adapters[order[i]], &err), &err);
        same = same && kind->adapt(self, path, &err) == ELM_CORRUPT &&
               kind->adapt(self, "/nowhere/adapter.gguf", &err) == ELM_NOT_FOUND;
        struct caller now = {kind, self, 0, ask(3, 16), ELM_FAIL};
        call(&now);
        same = same && replies_equal(&now.asked, &c[order[i]].asked);
        forget(&now.asked);
    }
    kind->close(self);
    check(same, "adapters can be exchanged, and taken away, while the backend lives");
    for (int i = 0; i < 3; i++)
        forget(&c[i].asked);
    unlink(nothing);
    unlink(much);
    free(nothing);
    free(much);
    elm_gguf_close(g);
}

int main(int argc, char **argv)
{
    struct elm_error err = {0};
    if (mkdtemp(folder) == NULL) {
        perror("llama_check: /tmp");
        return 1;
    }
    llama_log_set(silent, NULL);
    if (argc > 1 && strcmp(argv[1], "--fixture") == 0) {
        write_fixture();
        rmdir(folder);
        return 0;
    }
    struct elm_buf found = {0};
    must(elm_model_find(argc > 1 ? argv[1] : "smollm2", NULL, &found, &err), &err);
    const char *path = found.ptr;
    struct elm_gguf *g;
    must(elm_gguf_open(path, &g, &err), &err);
    check_ids(g, NULL);
    check_ids(g, "gpt-2");
    check_ids(g, "default");
    elm_gguf_close(g);
    check_small();
    check_trained();
    char *wide = file("wide.gguf");
    convert(path, wide, LLAMA_FTYPE_ALL_F32);
    check_model(path, wide);
    const struct elm_backend_kind *kind = elm_backend_find("llama");
    check_logprobs(kind, wide);
    unlink(wide);
    free(wide);
    void *self = open_backend(kind, (struct elm_backend_def){.model = path});
    check_answers(kind, self);
    check_masks(kind, self);
    kind->close(self);
    check_limits(kind, path);
    check_adapter(kind, path);
    elm_buf_release(&found);
    rmdir(folder);
    return bad ? 1 : 0;
}
