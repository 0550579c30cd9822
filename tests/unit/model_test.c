/* model: kernels against a slow model of doubles, sampling against itself. */
#include "elm/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const enum elm_kernel kernels[] = {ELM_KERNEL_PLAIN, ELM_KERNEL_AVX2, ELM_KERNEL_AVX512,
                                          ELM_KERNEL_AVX512_BF16, ELM_KERNEL_AMX};

/* odd sizes on purpose: panels, tiles and depths are not filled */
static const struct elm_model_config small = {
    .vocabulary = 203, .width = 72, .layers = 3, .heads = 6, .kv_heads = 2, .head_width = 20,
    .hidden = 90, .context_max = 150, .norm_epsilon = 1e-5f, .rope_base = 10000,
};
static const struct elm_model_config even = {
    .vocabulary = 512, .width = 128, .layers = 2, .heads = 4, .kv_heads = 4, .head_width = 32,
    .hidden = 384, .context_max = 256, .norm_epsilon = 1e-5f, .rope_base = 500, .tied = true,
};

/* ---- the slow model: reads the weights from the file that the fast one wrote ---- */

struct slow {
    struct elm_gguf *g;
    struct elm_model_config c;
    double *keys, *values;       /* [layer][position][kv_heads * head_width] */
};

/* out[rows] = the tensor's rows times x. */
static void slow_product(const struct slow *s, const char *name, const double *x, double *out)
{
    const struct elm_gguf_tensor *t = elm_gguf_tensor(s->g, name);
    assert_non_null(t);
    float *row = elm_malloc(t->dims[0] * sizeof(float));
    size_t bytes = elm_gguf_row_bytes(t->type, t->dims[0]);
    for (uint64_t i = 0; i < t->dims[1]; i++) {
        assert_true(elm_gguf_dequantize(t->type, (const char *)t->data + i * bytes, t->dims[0],
                                        row));
        out[i] = 0;
        for (uint64_t j = 0; j < t->dims[0]; j++)
            out[i] += (double)row[j] * x[j];
    }
    free(row);
}

static void slow_norm(const struct slow *s, const char *name, const double *x, double *out)
{
    const struct elm_gguf_tensor *t = elm_gguf_tensor(s->g, name);
    double sum = 0;
    for (uint32_t i = 0; i < s->c.width; i++)
        sum += x[i] * x[i];
    double factor = 1 / sqrt(sum / s->c.width + (double)s->c.norm_epsilon);
    for (uint32_t i = 0; i < s->c.width; i++)
        out[i] = x[i] * factor * (double)((const float *)t->data)[i];
}

static void slow_turn(const struct slow *s, double *head, uint32_t position)
{
    for (uint32_t i = 0; i < s->c.head_width; i += 2) {
        double angle = position * pow((double)s->c.rope_base, -(double)i / s->c.head_width);
        double a = head[i], b = head[i + 1];
        head[i] = a * cos(angle) - b * sin(angle);
        head[i + 1] = a * sin(angle) + b * cos(angle);
    }
}

/* out[head_width] of one query head over positions 0 .. position. */
static void slow_attend(const struct slow *s, const double *q, const double *keys,
                        const double *values, uint32_t position, double *out)
{
    const uint32_t width = s->c.head_width, stride = s->c.kv_heads * width;
    double *share = elm_calloc(position + 1, sizeof(*share)), sum = 0;
    for (uint32_t p = 0; p <= position; p++) {
        double score = 0;
        for (uint32_t i = 0; i < width; i++)
            score += q[i] * keys[p * stride + i];
        share[p] = exp(score / sqrt(width));
        sum += share[p];
    }
    for (uint32_t i = 0; i < width; i++) {
        out[i] = 0;
        for (uint32_t p = 0; p <= position; p++)
            out[i] += share[p] / sum * values[p * stride + i];
    }
    free(share);
}

static const char *name_of(char *out, uint32_t layer, const char *part)
{
    snprintf(out, 64, "blk.%u.%s.weight", layer, part);
    return out;
}

static void slow_layer(struct slow *s, uint32_t layer, uint32_t position, double *x)
{
    const struct elm_model_config *c = &s->c;
    const uint32_t q_width = c->heads * c->head_width, kv_width = c->kv_heads * c->head_width;
    double normed[128], q[128], mixed[128], out[128], gate[384], up[384];
    double *keys = s->keys + (size_t)layer * c->context_max * kv_width;
    double *values = s->values + (size_t)layer * c->context_max * kv_width;
    double *key = keys + position * kv_width;
    char name[64];
    assert_in_range(q_width, 1, 128);
    slow_norm(s, name_of(name, layer, "attn_norm"), x, normed);
    slow_product(s, name_of(name, layer, "attn_q"), normed, q);
    slow_product(s, name_of(name, layer, "attn_k"), normed, key);
    slow_product(s, name_of(name, layer, "attn_v"), normed, values + position * kv_width);
    for (uint32_t h = 0; h < c->heads; h++)
        slow_turn(s, q + h * c->head_width, position);
    for (uint32_t h = 0; h < c->kv_heads; h++)
        slow_turn(s, key + h * c->head_width, position);
    for (uint32_t h = 0; h < c->heads; h++) {
        uint32_t from = h / (c->heads / c->kv_heads) * c->head_width;
        slow_attend(s, q + h * c->head_width, keys + from, values + from, position,
                    mixed + h * c->head_width);
    }
    slow_product(s, name_of(name, layer, "attn_output"), mixed, out);
    for (uint32_t i = 0; i < c->width; i++)
        x[i] += out[i];
    slow_norm(s, name_of(name, layer, "ffn_norm"), x, normed);
    slow_product(s, name_of(name, layer, "ffn_gate"), normed, gate);
    slow_product(s, name_of(name, layer, "ffn_up"), normed, up);
    for (uint32_t i = 0; i < c->hidden; i++)
        gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
    slow_product(s, name_of(name, layer, "ffn_down"), gate, out);
    for (uint32_t i = 0; i < c->width; i++)
        x[i] += out[i];
}

/* logits[count][vocabulary] */
static void slow_logits(const char *path, const struct elm_model_config *c, const uint32_t *tokens,
                        uint32_t count, double *logits)
{
    struct slow s = {.c = *c};
    struct elm_error err = {0};
    size_t cells = (size_t)c->layers * c->context_max * c->kv_heads * c->head_width;
    assert_int_equal(elm_gguf_open(path, &s.g, &err), ELM_OK);
    s.keys = elm_calloc(cells, sizeof(double));
    s.values = elm_calloc(cells, sizeof(double));
    const struct elm_gguf_tensor *t = elm_gguf_tensor(s.g, "token_embd.weight");
    size_t bytes = elm_gguf_row_bytes(t->type, c->width);
    for (uint32_t p = 0; p < count; p++) {
        float row[128];
        double x[128], normed[128];
        elm_gguf_dequantize(t->type, (const char *)t->data + tokens[p] * bytes, c->width, row);
        for (uint32_t i = 0; i < c->width; i++)
            x[i] = (double)row[i];
        for (uint32_t layer = 0; layer < c->layers; layer++)
            slow_layer(&s, layer, p, x);
        slow_norm(&s, "output_norm.weight", x, normed);
        slow_product(&s, c->tied ? "token_embd.weight" : "output.weight", normed,
                     logits + (size_t)p * c->vocabulary);
    }
    free(s.keys);
    free(s.values);
    elm_gguf_close(s.g);
}

/* ---- models to compare ---- */

static char folder[] = "/tmp/elm-model-test-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static struct elm_model *open_model(const char *path, enum elm_precision precision,
                                    enum elm_kernel kernel)
{
    struct elm_model *m = NULL;
    struct elm_error err = {0};
    if (elm_model_open(path, precision, kernel, &m, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return m;
}

/* A file of random weights times `scale`: 0.02 alone would leave attention flat. */
static void write_scaled(const char *path, const struct elm_model_config *config, float scale)
{
    struct elm_model *m = NULL;
    struct elm_gguf *g = NULL;
    struct elm_error err = {0};
    struct elm_arena arena = {0};
    assert_int_equal(elm_model_random(config, 7, ELM_F32, ELM_KERNEL_AUTO, &m, &err), ELM_OK);
    assert_int_equal(elm_model_write(m, path, &err), ELM_OK);
    elm_model_close(m);
    assert_int_equal(elm_gguf_open(path, &g, &err), ELM_OK);
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    elm_gguf_put_all(w, g);
    for (uint64_t i = 0; i < elm_gguf_tensor_count(g); i++) {
        const struct elm_gguf_tensor *t = elm_gguf_tensor_at(g, i);
        float *data = elm_arena_alloc(&arena, t->bytes);
        char *name = elm_arena_alloc(&arena, t->name.len + 1);
        memcpy(data, t->data, t->bytes);
        memcpy(name, t->name.ptr, t->name.len);
        name[t->name.len] = '\0';
        for (size_t j = 0; j < t->bytes / 4; j++)
            data[j] *= t->dim_count == 1 ? 1 + 0.01f * (float)(j % 9) : scale;
        elm_gguf_put_tensor(w, name, t->type, t->dim_count, t->dims, data);
    }
    assert_int_equal(elm_gguf_write(w, path, &err), ELM_OK);
    elm_gguf_writer_free(w);
    elm_gguf_close(g);
    elm_arena_release(&arena);
}

static void random_tokens(uint32_t *tokens, uint32_t count, uint32_t vocabulary, uint64_t seed)
{
    struct elm_rng rng = elm_rng(seed, 0);
    for (uint32_t i = 0; i < count; i++)
        tokens[i] = elm_rng_below(&rng, vocabulary);
}

static bool kernel_exists(enum elm_kernel kernel, enum elm_precision precision)
{
    struct elm_model *m = NULL;
    struct elm_error err = {0};
    enum elm_status status = elm_model_random(&small, 1, precision, kernel, &m, &err);
    assert_true(status == ELM_OK || status == ELM_USAGE);
    elm_model_close(m);
    return status == ELM_OK;
}

/* The largest difference to the slow model, in units of the slow logits' spread. */
static double error_of(struct elm_model *m, const char *path, uint32_t count)
{
    const struct elm_model_config *c = elm_model_config(m);
    struct elm_error err = {0};
    uint32_t *tokens = elm_malloc(count * sizeof(*tokens));
    size_t cells = (size_t)count * c->vocabulary;
    float *logits = elm_malloc(cells * sizeof(*logits));
    double *slow = elm_malloc(cells * sizeof(*slow)), squares = 0, most = 0;
    random_tokens(tokens, count, c->vocabulary, 5);
    slow_logits(path, c, tokens, count, slow);
    struct elm_session *s = elm_session_new(m, 4);
    assert_int_equal(elm_session_logits(s, tokens, count, logits, &err), ELM_OK);
    for (size_t i = 0; i < cells; i++) {
        squares += slow[i] * slow[i];
        most = fmax(most, fabs((double)logits[i] - slow[i]));
    }
    assert_true(squares > 0);
    elm_session_free(s);
    free(slow);
    free(logits);
    free(tokens);
    return most / sqrt(squares / (double)cells);
}

static void kernels_compute_what_a_slow_model_does(void **state)
{
    (void)state;
    static const struct elm_model_config *const configs[] = {&small, &even};
    for (size_t shape = 0; shape < ELM_COUNT(configs); shape++) {
        const char *path = path_of("scaled.gguf");
        write_scaled(path, configs[shape], 8);
        for (size_t i = 0; i < ELM_COUNT(kernels); i++) {
            if (kernel_exists(kernels[i], ELM_F32)) {
                struct elm_model *m = open_model(path, ELM_F32, kernels[i]);
                double error = error_of(m, path, 137);
                print_message("%s f32: %g\n", elm_model_kernel(m), error);
                assert_true(error < 2e-4);
                elm_model_close(m);
            }
            if (kernel_exists(kernels[i], ELM_BF16)) {
                struct elm_model *m = open_model(path, ELM_BF16, kernels[i]);
                double error = error_of(m, path, 137);
                print_message("%s bf16: %g\n", elm_model_kernel(m), error);
                assert_true(error < 0.2);
                elm_model_close(m);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_compute_what_a_slow_model_does),
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return failed != 0 || system(command) != 0;
}
