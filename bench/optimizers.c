/*
 * optimizers [NAME|FILE.c...]: optimizers on small models of the two kinds that elm trains, at equal numbers
 * of samples: the tree-edit model by `inversions` and a text model by `scratch`, which learns programs that
 * the generator printed. All of them, or AdamW and those named or in a FILE.c as an update rule. Each has the
 * best of as many rates, factors of two apart and chosen with a seed of its own; then each trains with other
 * seeds for 1/2, 1/sqrt(2), 1 and sqrt(2) times the steps. Losses are of lessons, or programs, that no
 * training sees, at the end of the decay.
 *
 *   MODEL_NAME_rate     the rate chosen
 *   MODEL_NAME_loss     held-out loss after all steps; mean over seeds
 *   MODEL_NAME_samples  samples to tuned AdamW's final loss, over AdamW's: a geometric mean over seeds, with
 *                       _low and _high its 95 % interval. From 1/2 to sqrt(2) is measured; beyond that it is
 *                       carried on from the two nearest points, in logarithms
 *   MODEL_NAME_steps_s  steps a second of CPU time, one thread
 */
#include "elm/elm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATES 6
#define SEEDS 3
#define LENGTHS 4              /* budgets, half doublings apart; FULL is the usual one */
#define FULL 2
#define STEPS 200
#define HELD_STEPS 8
#define ENTRIES_MAX 16
#define T_OF_2 4.303           /* Student's t of SEEDS - 1 */

struct entry {
    const char *name, *optimizer;
    float first_rate;
    struct elm_optimizer_options options;
};
static const struct entry built_in[] = {
    {.name = "adamw", .optimizer = "adamw", .first_rate = 1e-3f},
    /* what a search that sees short trainings finds: shorter averages */
    {.name = "adamw_short", .optimizer = "adamw", .first_rate = 1e-3f,
     .options = {.beta1 = 0.8f, .beta2 = 0.9f}},
    {.name = "lion", .optimizer = "lion", .first_rate = 4e-4f},
    {.name = "muon", .optimizer = "muon", .first_rate = 1e-3f},
    {.name = "evolved", .optimizer = "evolved", .first_rate = 1e-3f},
};

struct bench {
    char folder[64], train[96], held[96], model[96], scored[96];
    struct entry entries[ENTRIES_MAX];
    int entry_count;
    double cpu_s, steps;
};

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "optimizers: %s\n", err->message);
    exit(1);
}

/* ---- data ---- */

static void write_programs(const char *path, enum elm_stream stream, uint32_t count)
{
    struct elm_error err = {0};
    struct elm_generator *g;
    struct elm_buf out = {0};
    const struct elm_generator_def def = {.stream = stream, .seed = 1, .corruptions_min = 1,
                                          .corruptions_max = 1, .cases_of_shown_only = true};
    check(elm_generator_open(&def, &g, &err), &err);
    for (uint32_t i = 0; i < count; i++) {
        struct elm_buf text = {0};
        const struct elm_task *t = elm_generator_task(g, 16 * (uint64_t)i);     /* each another target */
        elm_tree_print(&t->reference, t->problem.names, &text);
        elm_buf_printf(&out, "{\"prompt\": \"\", \"completion\": \"");
        for (size_t k = 0; k < text.len; k++) {
            if (text.ptr[k] == '\n')
                elm_buf_printf(&out, "\\n");
            else
                elm_buf_printf(&out, "%s%c", text.ptr[k] == '"' || text.ptr[k] == '\\' ? "\\" : "", text.ptr[k]);
        }
        elm_buf_printf(&out, "\"}\n");
        elm_buf_release(&text);
    }
    elm_generator_close(g);
    check(elm_file_write(path, elm_buf_str(&out), &err), &err);
    elm_buf_release(&out);
}

/* ---- one training ---- */

static double learn(struct elm_train_def *def)
{
    struct elm_error err = {0};
    struct elm_train_stats stats;
    unlink(def->out);
    const enum elm_status status = elm_train(def, NULL, NULL, &stats, &err);
    if (status == ELM_FAIL)
        return INFINITY;           /* it diverges at whatever rate */
    check(status, &err);
    return stats.loss;
}

/* Held-out loss at the end of a training of so many steps. */
static double run(struct bench *b, bool text, const struct entry *e, float rate, int length, uint64_t seed)
{
    const char *const train[] = {b->train}, *const held[] = {b->held};
    const uint64_t steps = (uint64_t)(STEPS * pow(2, (length - FULL) / 2.0) + 0.5);
    struct elm_train_def def = {
        .trainer = text ? "scratch" : "inversions", .out = b->model, .optimizer = e->optimizer,
        .options = e->options, .rate = rate, .warmup = 0.05f, .steps = steps, .seed = seed, .threads = 1,
        .width = text ? 64 : 32, .layers = 2, .batch = text ? 16 : 32, .checkpoint_s = 100000,
        .data = text ? train : NULL, .data_count = text, .vocabulary = text ? 512 : 0,
        .context = text ? 128 : 0,
    };
    const int64_t cpu_us = elm_cpu_us();
    const double trained = learn(&def);
    b->cpu_s += (double)(elm_cpu_us() - cpu_us) / 1e6;
    b->steps += (double)steps;
    if (!isfinite(trained))
        return INFINITY;
    /* training on with steps of no size says the loss there */
    struct elm_train_def score = {
        .trainer = text ? "sft" : "inversions", .model = b->model, .out = b->scored, .rate = 1e-30f,
        .schedule = "constant", .steps = HELD_STEPS, .seed = 0x4e1d, .threads = 1, .batch = 64,
        .data = text ? held : NULL, .data_count = text, .context = def.context, .checkpoint_s = 100000,
    };
    return learn(&score);
}

static float choose_rate(struct bench *b, bool text, const struct entry *e)
{
    double least = INFINITY;
    float chosen = 0;
    for (int k = 0; k < RATES; k++) {
        const float rate = e->first_rate * (float)(1 << k);
        const double loss = run(b, text, e, rate, FULL, 100);
        fprintf(stderr, "%s %s rate %g: %.4f\n", text ? "text" : "tree", e->name, (double)rate, loss);
        if (loss < least) {
            least = loss;
            chosen = rate;
        }
    }
    return chosen;
}

/* ---- figures ---- */

/* log2 of the budget, against the full one, at which a falling curve of losses comes to `wanted`. */
static double budget_to(const double *losses, double wanted)
{
    int k = 0;
    while (k + 2 < LENGTHS && losses[k + 1] > wanted)
        k++;
    const double slope = log(losses[k]) - log(losses[k + 1]);
    if (!(slope > 1e-6))
        return 1;                  /* it falls no more */
    const double part = (log(losses[k]) - log(wanted)) / slope;
    return fmin(fmax((k + part - FULL) / 2, -2), 1);
}

static void report(const char *model, const struct entry *e, float rate, double losses[SEEDS][LENGTHS],
                   double adamw[SEEDS][LENGTHS], double steps_s)
{
    double sum = 0, squares = 0, loss = 0;
    for (int s = 0; s < SEEDS; s++) {
        const double x = budget_to(losses[s], adamw[s][FULL]);
        sum += x;
        squares += x * x;
        loss += losses[s][FULL] / SEEDS;
    }
    const double mean = sum / SEEDS, spread = fmax((squares - SEEDS * mean * mean) / (SEEDS - 1), 0);
    const double half = T_OF_2 * sqrt(spread / SEEDS);
    printf("%s_%s_rate %g\n%s_%s_loss %.4f nats\n", model, e->name, (double)rate, model, e->name, loss);
    printf("%s_%s_samples %.3f ratio\n", model, e->name, exp2(mean));
    printf("%s_%s_samples_low %.3f ratio\n%s_%s_samples_high %.3f ratio\n", model, e->name,
           exp2(mean - half), model, e->name, exp2(mean + half));
    printf("%s_%s_steps_s %.1f 1/s\n", model, e->name, steps_s);
    fflush(stdout);
}

static void compare(struct bench *b, bool text)
{
    double losses[SEEDS][LENGTHS], adamw[SEEDS][LENGTHS];
    for (int i = 0; i < b->entry_count; i++) {
        const struct entry *e = &b->entries[i];
        b->cpu_s = b->steps = 0;
        const float rate = choose_rate(b, text, e);
        for (int s = 0; s < SEEDS; s++) {
            for (int k = 0; k < LENGTHS; k++)
                losses[s][k] = run(b, text, e, rate, k, (uint64_t)s + 1);
            fprintf(stderr, "%s %s seed %d: %.4f %.4f %.4f %.4f\n", text ? "text" : "tree", e->name, s + 1,
                    losses[s][0], losses[s][1], losses[s][2], losses[s][3]);
        }
        if (i == 0)
            memcpy(adamw, losses, sizeof(adamw));
        report(text ? "text" : "tree", e, rate, losses, adamw, b->steps / b->cpu_s);
    }
}

static void add_entries(struct bench *b, char **names, int count)
{
    for (size_t k = 0; k < ELM_COUNT(built_in); k++) {
        bool wanted = count == 0 || k == 0;
        for (int i = 0; i < count; i++)
            wanted |= strcmp(names[i], built_in[k].name) == 0;
        if (wanted)
            b->entries[b->entry_count++] = built_in[k];
    }
    for (int i = 0; i < count; i++) {
        bool known = false;
        for (size_t k = 0; k < ELM_COUNT(built_in); k++)
            known |= strcmp(names[i], built_in[k].name) == 0;
        if (!known)
            b->entries[b->entry_count++] =
                (struct entry){.name = names[i], .optimizer = names[i], .first_rate = 1e-3f};
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
    strcpy(b.folder, "/tmp/elm-optimizers-XXXXXX");
    if (mkdtemp(b.folder) == NULL || argc > ENTRIES_MAX - (int)ELM_COUNT(built_in))
        return 1;
    snprintf(b.train, sizeof(b.train), "%s/train.jsonl", b.folder);
    snprintf(b.held, sizeof(b.held), "%s/held.jsonl", b.folder);
    snprintf(b.model, sizeof(b.model), "%s/model.gguf", b.folder);
    snprintf(b.scored, sizeof(b.scored), "%s/scored.gguf", b.folder);
    add_entries(&b, argv + 1, argc - 1);
    write_programs(b.train, ELM_STREAM_TRAIN, 6000);
    write_programs(b.held, ELM_STREAM_GATE, 1024);
    compare(&b, false);
    compare(&b, true);
    const char *const files[] = {b.train, b.held, b.model, b.scored};
    for (size_t i = 0; i < ELM_COUNT(files); i++)
        unlink(files[i]);
    return rmdir(b.folder) != 0;
}
