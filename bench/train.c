/*
 * train: tokens a second of CPU time, one thread, of training from random weights: forward, backward
 * and AdamW, batches of 8 sequences of 256 tokens, every token learnt.
 *
 *   train_SIZE            bf16 inside the products
 *   train_SIZE_f32        f32 throughout
 *   train_ratio_to_torch  train_5m against the faster of PyTorch's f32 and bf16 on the same model,
 *                         measured in this run by tools/torch_train.py. ELM_TORCH names a python3 that
 *                         has torch; without it n/a
 * SIZE: 1m, 5m, 15m. `train SIZE` measures one of them alone. ELM_BENCH_KERNEL as in model.c.
 */
#include "elm/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEQUENCES 8
#define LENGTH 256
#define BUDGET_S 6

static const struct {
    const char *name;
    struct elm_model_config config;
} sizes[] = {
    {"1m", {512, 128, 4, 4, 4, 32, 384, 1024, 1e-5f, 10000, true}},
    {"5m", {1024, 256, 6, 4, 4, 64, 704, 1024, 1e-5f, 10000, true}},
    {"15m", {2048, 384, 8, 6, 6, 64, 1024, 1024, 1e-5f, 10000, true}},
};

struct bench {
    struct elm_net *net;
    const struct elm_parameter *parameters;
    uint32_t count;
    float **states;
    uint32_t tokens[SEQUENCES][LENGTH];
    float coefficients[LENGTH];
    struct elm_net_sequence sequences[SEQUENCES];
    uint64_t step;
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
    fprintf(stderr, "train: %s\n", err->message);
    exit(1);
}

static enum elm_kernel kernel_wanted(void)
{
    static const char *const names[] = {"auto", "plain", "avx2", "avx512", "avx512-bf16", "amx"};
    const char *name = getenv("ELM_BENCH_KERNEL");
    for (size_t i = 0; name != NULL && i < ELM_COUNT(names); i++) {
        if (strcmp(names[i], name) == 0)
            return (enum elm_kernel)i;
    }
    return ELM_KERNEL_AUTO;
}

static void open_bench(struct bench *b, const struct elm_model_config *config,
                       enum elm_precision precision)
{
    struct elm_error err;
    struct elm_rng rng = elm_rng(1, 1);
    struct elm_net_def def = {.config = config, .seed = 1, .precision = precision, .threads = 1,
                              .kernel = kernel_wanted()};
    memset(b, 0, sizeof(*b));
    check(elm_net_open(&def, &b->net, &err), &err);
    b->parameters = elm_net_parameters(b->net, &b->count);
    b->states = elm_calloc(b->count, sizeof(*b->states));
    for (uint32_t i = 0; i < b->count; i++)
        b->states[i] = elm_calloc(2 * (size_t)b->parameters[i].rows * b->parameters[i].cols,
                                  sizeof(float));
    for (uint32_t i = 0; i < LENGTH; i++)
        b->coefficients[i] = 1.0f / (SEQUENCES * (LENGTH - 1));
    for (uint32_t i = 0; i < SEQUENCES; i++) {
        for (uint32_t j = 0; j < LENGTH; j++)
            b->tokens[i][j] = elm_rng_below(&rng, config->vocabulary);
        b->sequences[i] = (struct elm_net_sequence){.tokens = b->tokens[i], .count = LENGTH,
                                                    .coefficients = b->coefficients};
    }
}

static void close_bench(struct bench *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        free(b->states[i]);
    free(b->states);
    elm_net_close(b->net);
}

static void step(struct bench *b)
{
    const struct elm_optimizer_options options = {0};
    struct elm_error err;
    double loss;
    b->step++;
    for (uint32_t i = 0; i < b->count; i++)
        memset(b->parameters[i].gradient, 0,
               (size_t)b->parameters[i].rows * b->parameters[i].cols * sizeof(float));
    check(elm_net_gradient(b->net, b->sequences, SEQUENCES, &loss, &err), &err);
    for (uint32_t i = 0; i < b->count; i++) {
        const struct elm_parameter *p = &b->parameters[i];
        elm_optimizer_find("adamw")->step(&(struct elm_optimizer_step){
            .options = &options, .rows = p->rows, .cols = p->cols, .matrix = p->matrix,
            .step = b->step, .rate = 1e-3f, .weights = p->weights, .gradient = p->gradient,
            .state = b->states[i],
        });
    }
}

static double measure(size_t size, enum elm_precision precision)
{
    struct bench b;
    open_bench(&b, &sizes[size].config, precision);
    step(&b);
    const double from = cpu_s();
    uint64_t steps = 0;
    for (; cpu_s() - from < BUDGET_S; steps++)
        step(&b);
    const double rate = (double)(steps * SEQUENCES * LENGTH) / (cpu_s() - from);
    printf("train_%s%s %.0f tokens/s\n", sizes[size].name, precision == ELM_F32 ? "_f32" : "", rate);
    fflush(stdout);
    close_bench(&b);
    return rate;
}

/* PyTorch's tokens a second, the better of its two; 0: there is none. */
static double torch_rate(void)
{
    const char *python = getenv("ELM_TORCH");
    char line[256];
    double best = 0, rate;
    if (python == NULL)
        return 0;
    snprintf(line, sizeof(line), "'%s' tools/torch_train.py", python);
    FILE *f = popen(line, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        fputs(line, stdout);
        if (sscanf(line, "%*s %lf", &rate) == 1 && rate > best)
            best = rate;
    }
    return f != NULL && pclose(f) == 0 ? best : 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < ELM_COUNT(sizes); i++) {
        if (argc > 1 && strcmp(argv[1], sizes[i].name) != 0)
            continue;
        const double rate = measure(i, ELM_BF16);
        measure(i, ELM_F32);
        if (strcmp(sizes[i].name, "5m") != 0)
            continue;
        const double torch = torch_rate();
        if (torch > 0)
            printf("train_ratio_to_torch %.2f x\n", rate / torch);
        else
            printf("train_ratio_to_torch n/a x\n");
    }
    return 0;
}
