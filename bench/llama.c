/*
 * llama quick|all [MODEL]: sampling by elm's runtime against llama.cpp's, CPU time of one pinned
 * thread: 32 rows that share a beginning of 64 tokens, 40 tokens each, logits of every one, the
 * next token given, so that no sampler is measured on either side. llama.cpp runs as fast as it
 * can: the best of its F32, BF16 and Q4_0 weights and of f16 and bf16 keys and values. `all` also
 * measures SmolLM2-135M (MODEL: another file of it). Built only after `make llama`.
 */
#include "elm/model.h"
#include "elm/models.h"
#include "model/transformer.h"

#include <llama.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS 32
#define PREFIX 64
#define TOKENS 40
#define POSITIONS (PREFIX + TOKENS + 1)
#define ROW_PAGES ((POSITIONS + BLOCK - 1) / BLOCK)
#define ROUNDS_MAX 9

static char folder[] = "/tmp/elm-bench-XXXXXX";

static void fail(const char *what)
{
    fprintf(stderr, "llama: %s\n", what);
    exit(1);
}

static void must(enum elm_status status, const struct elm_error *err)
{
    if (status != ELM_OK)
        fail(err->message);
}

static void silent(enum ggml_log_level level, const char *text, void *unused)
{
    (void)level, (void)text, (void)unused;
}

static uint32_t token(uint32_t row, uint32_t position, uint32_t vocabulary)
{
    return (row * 17 + position * 31 + 5) % vocabulary;
}

/* ---- llama.cpp ---- */

struct theirs {
    struct llama_model *model;
    struct llama_context *ctx;
    struct llama_batch batch;
    uint32_t vocabulary;
};

static void theirs_open(struct theirs *t, const char *path, enum ggml_type keys)
{
    struct llama_context_params p = llama_context_default_params();
    t->model = llama_model_load_from_file(path, llama_model_default_params());
    if (t->model == NULL)
        fail("llama.cpp can't load a model");
    p.n_seq_max = ROWS;
    p.n_ctx = ROWS * 256;
    p.n_threads = p.n_threads_batch = 1;
    p.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    p.kv_unified = false;
    p.type_k = p.type_v = keys;
    t->ctx = llama_init_from_model(t->model, p);
    if (t->ctx == NULL)
        fail("llama.cpp can't make a context");
    t->batch = llama_batch_init(PREFIX, 0, 1);
    t->vocabulary = (uint32_t)llama_vocab_n_tokens(llama_model_get_vocab(t->model));
}

static void theirs_close(struct theirs *t)
{
    llama_batch_free(t->batch);
    llama_free(t->ctx);
    llama_model_free(t->model);
}

static void theirs_decode(struct theirs *t, uint32_t rows, uint32_t from, uint32_t to)
{
    struct llama_batch *b = &t->batch;
    b->n_tokens = 0;
    for (uint32_t position = from; position < to; position++) {
        for (uint32_t row = 0; row < rows; row++) {
            int32_t i = b->n_tokens++;
            b->token[i] = (llama_token)token(row, position, t->vocabulary);
            b->pos[i] = (llama_pos)position;
            b->n_seq_id[i] = 1;
            b->seq_id[i][0] = (llama_seq_id)row;
            b->logits[i] = from >= PREFIX;
        }
    }
    if (llama_decode(t->ctx, *b) != 0)
        fail("llama.cpp can't decode");
}

/* CPU microseconds a token. The first step copies the beginning and is not counted. */
static double theirs_run(struct theirs *t, uint32_t tokens)
{
    llama_memory_t memory = llama_get_memory(t->ctx);
    llama_memory_clear(memory, false);
    theirs_decode(t, 1, 0, PREFIX);
    for (llama_seq_id row = 1; row < ROWS; row++)
        llama_memory_seq_cp(memory, 0, row, -1, -1);
    theirs_decode(t, ROWS, PREFIX, PREFIX + 1);
    int64_t from_us = elm_cpu_us();
    for (uint32_t i = 1; i <= tokens; i++)
        theirs_decode(t, ROWS, PREFIX + i, PREFIX + i + 1);
    return (double)(elm_cpu_us() - from_us) / (tokens * ROWS);
}

/* ---- elm ---- */

struct ours {
    struct elm_model *model;
    struct elm_session *session;
    struct page *pages[ROWS][ROW_PAGES];
};

static void ours_open(struct ours *o, const char *path)
{
    struct elm_error err = {0};
    must(elm_model_open(path, ELM_BF16, ELM_KERNEL_AUTO, &o->model, &err), &err);
    o->session = elm_session_new(o->model, ROWS);
    for (uint32_t row = 0; row < ROWS; row++) {
        for (uint32_t i = 0; i < ROW_PAGES; i++)
            o->pages[row][i] = row > 0 && i < PREFIX / BLOCK ? o->pages[0][i]
                                                             : page_take(o->session);
    }
}

static void ours_close(struct ours *o)
{
    elm_session_free(o->session);
    elm_model_close(o->model);
}

static void ours_decode(struct ours *o, uint32_t rows, uint32_t from, uint32_t to)
{
    struct line lines[PREFIX];
    uint32_t which[ROWS], count = 0;
    for (uint32_t position = from; position < to; position++) {
        for (uint32_t row = 0; row < rows; row++)
            lines[count++] = (struct line){
                token(row, position, o->model->config.vocabulary), position, o->pages[row]};
    }
    forward(o->session, lines, count);
    if (from < PREFIX)
        return;
    for (uint32_t row = 0; row < rows; row++)
        which[row] = row;
    forward_head(o->session, which, rows, NULL, o->session->logits,
                 (size_t)o->model->head.panels * PANEL);
}

static double ours_run(struct ours *o, uint32_t tokens)
{
    ours_decode(o, 1, 0, PREFIX);
    ours_decode(o, ROWS, PREFIX, PREFIX + 1);
    int64_t from_us = elm_cpu_us();
    for (uint32_t i = 1; i <= tokens; i++)
        ours_decode(o, ROWS, PREFIX + i, PREFIX + i + 1);
    return (double)(elm_cpu_us() - from_us) / (tokens * ROWS);
}

/* ---- both ---- */

static const struct {
    const char *name;
    enum llama_ftype type;
} formats[] = {
    {"f32", LLAMA_FTYPE_ALL_F32},
    {"bf16", LLAMA_FTYPE_MOSTLY_BF16},
    {"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},
};
static const struct {
    const char *name;
    enum ggml_type type;
} keys[] = {{"f16", GGML_TYPE_F16}, {"bf16", GGML_TYPE_BF16}};

static void format_path(char *path, size_t room, size_t format)
{
    snprintf(path, room, "%s/%s.gguf", folder, formats[format].name);
}

/* Writes the model in all formats and opens the fastest. */
static void theirs_best(struct theirs *best, const char *model, char *name, size_t room)
{
    double least = 0;
    size_t best_format = 0, best_keys = 0;
    char path[64];
    for (size_t f = 0; f < ELM_COUNT(formats); f++) {
        struct llama_model_quantize_params q = llama_model_quantize_default_params();
        q.ftype = formats[f].type;
        q.allow_requantize = true;
        q.nthread = 1;
        format_path(path, sizeof(path), f);
        if (llama_model_quantize(model, path, &q) != 0)
            fail("llama.cpp can't convert a model");
        for (size_t k = 0; k < ELM_COUNT(keys); k++) {
            struct theirs t;
            theirs_open(&t, path, keys[k].type);
            theirs_run(&t, 1);
            double us = theirs_run(&t, TOKENS / 10);
            fprintf(stderr, "llama.cpp, %s weights, %s keys: %.0f tokens/s\n", formats[f].name,
                    keys[k].name, 1e6 / us);
            theirs_close(&t);
            if (least == 0 || us < least) {
                least = us;
                best_format = f;
                best_keys = k;
            }
        }
    }
    format_path(path, sizeof(path), best_format);
    theirs_open(best, path, keys[best_keys].type);
    snprintf(name, room, "%s weights, %s keys", formats[best_format].name, keys[best_keys].name);
    for (size_t f = 0; f < ELM_COUNT(formats); f++) {
        format_path(path, sizeof(path), f);
        unlink(path);
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *size, const char *path, int rounds)
{
    struct theirs t;
    struct ours o;
    char name[64];
    double us[2][ROUNDS_MAX];
    theirs_best(&t, path, name, sizeof(name));
    ours_open(&o, path);
    theirs_run(&t, 1);
    ours_run(&o, 1);
    for (int i = 0; i < rounds; i++) {
        us[0][i] = ours_run(&o, TOKENS);
        us[1][i] = theirs_run(&t, TOKENS);
    }
    qsort(us[0], (size_t)rounds, sizeof(double), ascending);
    qsort(us[1], (size_t)rounds, sizeof(double), ascending);
    fprintf(stderr, "%s: elm with %s; llama.cpp with %s\n", size, elm_model_kernel(o.model), name);
    printf("sample_elm_%s %.0f tokens/cpu_s\n", size, 1e6 / us[0][rounds / 2]);
    printf("sample_llama_%s %.0f tokens/cpu_s\n", size, 1e6 / us[1][rounds / 2]);
    printf("sample_ratio_%s %.2f times\n", size, us[1][rounds / 2] / us[0][rounds / 2]);
    fflush(stdout);
    ours_close(&o);
    theirs_close(&t);
}

static void measure_random(const char *size, const struct elm_model_config *config, int rounds)
{
    struct elm_error err = {0};
    struct elm_model *m;
    char path[64];
    snprintf(path, sizeof(path), "%s/%s.gguf", folder, size);
    must(elm_model_random(config, 1, ELM_F32, ELM_KERNEL_AUTO, &m, &err), &err);
    must(elm_model_write(m, path, &err), &err);
    elm_model_close(m);
    measure(size, path, rounds);
    unlink(path);
}

int main(int argc, char **argv)
{
    const struct elm_model_config small = {
        .vocabulary = 512, .width = 128, .layers = 4, .heads = 4, .kv_heads = 4, .head_width = 32,
        .hidden = 384, .context_max = 256, .norm_epsilon = 1e-5f, .rope_base = 10000, .tied = true,
    };
    const struct elm_model_config medium = {
        .vocabulary = 1024, .width = 256, .layers = 6, .heads = 4, .kv_heads = 4, .head_width = 64,
        .hidden = 704, .context_max = 256, .norm_epsilon = 1e-5f, .rope_base = 10000, .tied = true,
    };
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
    llama_log_set(silent, NULL);
    if (mkdtemp(folder) == NULL)
        fail("/tmp can't be written");
    measure_random("1m", &small, 9);
    measure_random("5m", &medium, 7);
    if (argc > 1 && strcmp(argv[1], "all") == 0) {
        struct elm_error err = {0};
        struct elm_buf path = {0};
        if (elm_model_find(argc > 2 ? argv[2] : "smollm2", NULL, &path, &err) == ELM_OK)
            measure("135m", path.ptr, 3);
        else
            fprintf(stderr, "llama: without SmolLM2-135M: %s\n", err.message);
        elm_buf_release(&path);
    }
    rmdir(folder);
    return 0;
}
