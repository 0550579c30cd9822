/*
 * model: tokens a second of CPU time, one thread, of the native runtime on random weights.
 *
 *   decode_SIZE_bB       products and attention alone: B rows share 64 tokens, 40 more each
 *   sample_SIZE_bB       elm_session_sample of the same: prompt and drawing in it, temperature 1
 *   prompt_SIZE          a prompt of 512 tokens (1M: 256)
 * SIZE: 1m, 5m, 135m (SmolLM2's shape). `model SIZE` prints one of them alone; a path instead of a
 * size: that model. ELM_BENCH_KERNEL=plain|avx2|avx512|avx512-bf16|amx and ELM_BENCH_F32=1 choose.
 */
#include "model/transformer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PREFIX 64
#define ANSWER 40

static const struct {
    const char *name;
    struct elm_model_config config;
    uint32_t prompt;
} sizes[] = {
    {"1m", {512, 128, 4, 4, 4, 32, 384, 1024, 1e-5f, 10000, true}, 256},
    {"5m", {1024, 256, 6, 4, 4, 64, 704, 1024, 1e-5f, 10000, true}, 512},
    {"135m", {49152, 576, 30, 9, 3, 64, 1536, 2048, 1e-5f, 10000, true}, 512},
};

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "model: %s\n", err->message);
    exit(1);
}

static void decode(const struct elm_model *m, const char *name, uint32_t rows, double budget_s)
{
    struct elm_session *s = elm_session_new(m, rows);
    struct line *lines = elm_calloc(s->lines_max, sizeof(*lines));
    uint32_t *which = elm_calloc(rows, sizeof(*which));
    struct page **pages = elm_calloc(rows * 8, sizeof(*pages));
    const uint32_t vocabulary = m->config.vocabulary;
    double spent = 0;
    uint64_t tokens = 0;
    for (uint32_t i = 0; i < PREFIX / BLOCK; i++)
        pages[i] = page_take(s);
    for (uint32_t i = 0; i < PREFIX; i++)
        lines[i] = (struct line){i * 7 % vocabulary, i, pages};
    forward(s, lines, PREFIX);
    for (uint32_t i = 0; i < rows; i++) {
        which[i] = i;
        for (uint32_t p = 0; p < PREFIX / BLOCK; p++)
            pages[i * 8 + p] = pages[p];
        for (uint32_t p = PREFIX / BLOCK; p < 4; p++)
            pages[i * 8 + p] = page_take(s);
    }
    while (spent < budget_s) {
        double from = cpu_s();
        for (uint32_t step = 0; step < ANSWER; step++) {
            for (uint32_t i = 0; i < rows; i++)
                lines[i] = (struct line){(i * 31 + step * 17) % vocabulary, PREFIX + step,
                                         pages + i * 8};
            forward(s, lines, rows);
            forward_head(s, which, rows, NULL, s->logits, m->head.panels * PANEL);
        }
        spent += cpu_s() - from;
        tokens += rows * ANSWER;
    }
    printf("decode_%s_b%u %.0f tokens/s\n", name, rows, (double)tokens / spent);
    elm_session_free(s);
    free(pages);
    free(which);
    free(lines);
}

static void sample(const struct elm_model *m, const char *name, uint32_t rows, double budget_s)
{
    struct elm_session *s = elm_session_new(m, rows);
    struct elm_sample_row *all = elm_calloc(rows, sizeof(*all));
    struct elm_error err = {0};
    uint32_t prompt[PREFIX];
    double spent = 0;
    uint64_t tokens = 0;
    for (uint32_t i = 0; i < PREFIX; i++)
        prompt[i] = i * 7 % m->config.vocabulary;
    for (uint32_t i = 0; i < rows; i++)
        all[i] = (struct elm_sample_row){.tokens = prompt, .count = PREFIX, .seed = i,
                                         .tokens_max = ANSWER, .temperature = 1};
    while (spent < budget_s) {
        double from = cpu_s();
        check(elm_session_sample(s, all, rows, NULL, NULL, &err), &err);
        spent += cpu_s() - from;
        tokens += rows * ANSWER;
    }
    printf("sample_%s_b%u %.0f tokens/s\n", name, rows, (double)tokens / spent);
    for (uint32_t i = 0; i < rows; i++) {
        elm_buf_release(&all[i].ids);
        elm_buf_release(&all[i].logprobs);
    }
    elm_session_free(s);
    free(all);
}

static void prompt(const struct elm_model *m, const char *name, uint32_t count)
{
    struct elm_session *s = elm_session_new(m, 1);
    struct elm_error err = {0};
    uint32_t *tokens = elm_calloc(count, sizeof(*tokens));
    for (uint32_t i = 0; i < count; i++)
        tokens[i] = i * 7 % m->config.vocabulary;
    struct elm_sample_row row = {.tokens = tokens, .count = count, .tokens_max = 1};
    check(elm_session_sample(s, &row, 1, NULL, NULL, &err), &err);
    double from = cpu_s();
    check(elm_session_sample(s, &row, 1, NULL, NULL, &err), &err);
    printf("prompt_%s %.0f tokens/s\n", name, count / (cpu_s() - from));
    elm_buf_release(&row.ids);
    elm_buf_release(&row.logprobs);
    elm_session_free(s);
    free(tokens);
}

static void all_of(const struct elm_model *m, const char *name, uint32_t prompt_count)
{
    static const uint32_t rows[] = {1, 8, 32, 128};
    printf("kernel_%s %s\n", name, elm_model_kernel(m));
    for (size_t i = 0; i < ELM_COUNT(rows); i++)
        decode(m, name, rows[i], 0.3);
    for (size_t i = 0; i < ELM_COUNT(rows); i++)
        sample(m, name, rows[i], 0.3);
    prompt(m, name, prompt_count);
}

static enum elm_kernel kernel_wanted(void)
{
    static const char *const names[] = {"", "plain", "avx2", "avx512", "avx512-bf16", "amx"};
    const char *wanted = getenv("ELM_BENCH_KERNEL");
    for (size_t i = 1; wanted != NULL && i < ELM_COUNT(names); i++) {
        if (strcmp(wanted, names[i]) == 0)
            return (enum elm_kernel)i;
    }
    return ELM_KERNEL_AUTO;
}

int main(int argc, char **argv)
{
    struct elm_error err = {0};
    enum elm_precision precision = getenv("ELM_BENCH_F32") != NULL ? ELM_F32 : ELM_BF16;
    bool known = argc < 2;
    struct elm_model *m = NULL;
    for (size_t i = 0; i < ELM_COUNT(sizes); i++) {
        if (argc > 1 && strcmp(argv[1], sizes[i].name) != 0)
            continue;
        known = true;
        check(elm_model_random(&sizes[i].config, 1, precision, kernel_wanted(), &m, &err), &err);
        all_of(m, sizes[i].name, sizes[i].prompt);
        elm_model_close(m);
    }
    if (known)
        return 0;
    check(elm_model_open(argv[1], precision, kernel_wanted(), &m, &err), &err);
    all_of(m, "file", 512);
    elm_model_close(m);
    return 0;
}
