/* model: kernels against a slow model of doubles; files that are written, read and refused. */
#include "../llama_rig.h"
#include "model/kernel.h"

#include <math.h>

static char path[64];

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

/* logits[count][vocabulary] of the model in the file */
static void slow_logits(const struct elm_model_config *c, const uint32_t *tokens, uint32_t count,
                        double *logits)
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

/* All logits of a text. */
static float *logits_of(const struct elm_model *m, uint32_t count)
{
    struct elm_error err = {0};
    uint32_t vocabulary = elm_model_config(m)->vocabulary, *tokens = elm_malloc(count * 4);
    float *logits = elm_malloc((size_t)count * vocabulary * sizeof(float));
    struct elm_session *s = elm_session_new(m, 9);
    random_tokens(tokens, count, vocabulary, 5);
    assert_int_equal(elm_session_logits(s, tokens, count, logits, &err), ELM_OK);
    elm_session_free(s);
    free(tokens);
    return logits;
}

/* The spread of the difference to the slow model, in units of the slow logits' own. */
static double error_of(const struct elm_model *m, const double *slow, uint32_t count)
{
    size_t cells = (size_t)count * elm_model_config(m)->vocabulary;
    float *logits = logits_of(m, count);
    double squares = 0, wrong = 0;
    for (size_t i = 0; i < cells; i++) {
        double difference = (double)logits[i] - slow[i];
        squares += slow[i] * slow[i];
        wrong += difference * difference;
    }
    assert_true(squares > 0);
    free(logits);
    return sqrt(wrong / squares);
}

static void compare_kernels(const struct elm_model_config *c, enum elm_precision precision)
{
    enum { COUNT = 70 };
    struct elm_error err = {0};
    double *slow = elm_malloc(COUNT * c->vocabulary * sizeof(*slow));
    uint32_t tokens[COUNT];
    llama_write(path, c, 8);
    struct elm_model *m = llama_open(path, precision, ELM_KERNEL_AUTO);
    assert_int_equal(elm_model_write(m, path, &err), ELM_OK);
    elm_model_close(m);
    random_tokens(tokens, COUNT, c->vocabulary, 5);
    slow_logits(c, tokens, COUNT, slow);
    for (size_t i = 0; i < ELM_COUNT(llama_kernels); i++) {
        if (!kernel_exists(llama_kernels[i], precision))
            continue;
        m = llama_open(path, precision, llama_kernels[i]);
        double error = error_of(m, slow, COUNT);
        print_message("%s %s: %g\n", elm_model_kernel(m), precision == ELM_F32 ? "f32" : "bf16",
                      error);
        assert_true(error < (precision == ELM_F32 ? 1e-5 : 0.03));
        elm_model_close(m);
    }
    free(slow);
}

static void kernels_compute_what_a_slow_model_does(void **state)
{
    (void)state;
    compare_kernels(&llama_odd, ELM_F32);
    compare_kernels(&llama_odd, ELM_BF16);
    compare_kernels(&llama_even, ELM_F32);
    compare_kernels(&llama_even, ELM_BF16);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static const struct elm_model_config *const configs[] = {&llama_odd, &llama_even};
    for (size_t i = 0; i < 2 * ELM_COUNT(configs); i++) {
        const struct elm_model_config *c = configs[i / 2];
        enum elm_precision precision = i % 2 == 0 ? ELM_BF16 : ELM_F32;
        struct elm_model *m = NULL, *again;
        struct elm_error err = {0};
        assert_int_equal(elm_model_random(c, 3, precision, ELM_KERNEL_AUTO, &m, &err), ELM_OK);
        assert_int_equal(elm_model_write(m, path, &err), ELM_OK);
        again = llama_open(path, precision, ELM_KERNEL_AUTO);
        assert_memory_equal(elm_model_config(again), c, sizeof(*c));
        float *a = logits_of(m, 50), *b = logits_of(again, 50);
        assert_memory_equal(a, b, 50 * c->vocabulary * sizeof(float));
        free(a);
        free(b);
        elm_model_close(m);
        elm_model_close(again);
    }
    struct elm_model *m = NULL;
    struct elm_error err = {0};
    assert_int_equal(elm_model_open("/none.gguf", ELM_BF16, ELM_KERNEL_AUTO, &m, &err),
                     ELM_NOT_FOUND);
}

static const float no_bias[72];

static void moe(struct elm_gguf_writer *w) { elm_gguf_put_int(w, "llama.expert_count", 8); }
static void yarn(struct elm_gguf_writer *w)
{
    elm_gguf_put_string(w, "llama.rope.scaling.type", ELM_STR("yarn"));
}
static void sliding(struct elm_gguf_writer *w)
{
    elm_gguf_put_int(w, "llama.attention.sliding_window", 4096);
}
static void bias(struct elm_gguf_writer *w)
{
    const uint64_t dims[1] = {72};
    elm_gguf_put_tensor(w, "blk.0.attn_output.bias", ELM_GGUF_F32, 1, dims, no_bias);
}
static void gemma(struct elm_gguf_writer *w)
{
    elm_gguf_put_string(w, "general.architecture", ELM_STR("gemma"));
}
static void wider(struct elm_gguf_writer *w)
{
    elm_gguf_put_int(w, "llama.feed_forward_length", 91);
}
static void huge(struct elm_gguf_writer *w) { elm_gguf_put_int(w, "llama.block_count", 400); }
static void each_layer(struct elm_gguf_writer *w)
{
    const int32_t heads[3] = {2, 2, 1};
    elm_gguf_put_ints(w, "llama.attention.head_count_kv", heads, 3);
}
static void partly_turned(struct elm_gguf_writer *w)
{
    elm_gguf_put_int(w, "llama.rope.dimension_count", 10);
}

static void other_files_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct elm_gguf_writer *w);
        const char *without;
        enum elm_status status;
        const char *says;
    } cases[] = {
        {moe, NULL, ELM_OUTSIDE, "llama.expert_count"},
        {yarn, NULL, ELM_OUTSIDE, "yarn"},
        {sliding, NULL, ELM_OUTSIDE, "sliding_window"},
        {bias, NULL, ELM_OUTSIDE, "blk.0.attn_output.bias"},
        {gemma, NULL, ELM_OUTSIDE, "gemma"},
        {each_layer, NULL, ELM_OUTSIDE, "head_count_kv"},
        {partly_turned, NULL, ELM_OUTSIDE, "dimension_count"},
        {wider, NULL, ELM_CORRUPT, "blk.0.ffn_gate.weight"},
        {huge, NULL, ELM_CORRUPT, "weights"},
        {NULL, "blk.1.ffn_up.weight", ELM_CORRUPT, "blk.1.ffn_up.weight"},
        {NULL, "output_norm.weight", ELM_CORRUPT, "output_norm.weight"},
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++) {
        struct elm_model *m = NULL;
        struct elm_error err = {0};
        llama_write_changed(path, &llama_odd, 1, cases[i].change, cases[i].without);
        assert_int_equal(elm_model_open(path, ELM_BF16, ELM_KERNEL_AUTO, &m, &err),
                         cases[i].status);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("'%s' does not name '%s'", err.message, cases[i].says);
    }
}

/* What draw must give: the running sum of weights in double. `near` is how far `unit` is from where
 * another token would be right. */
static uint32_t slow_draw(const struct drawing *d, double *logprob, double *near)
{
    double most = -INFINITY, total = 0, sum = 0;
    *logprob = 0;
    uint32_t token = UINT32_MAX;
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->mask == NULL || (d->mask[i / 8] >> i % 8 & 1))
            most = fmax(most, (double)d->logits[i]);
    }
    *near = 1;
    for (int again = 0; again < 2; again++) {
        for (uint32_t i = 0; i < d->count; i++) {
            if (d->mask != NULL && !(d->mask[i / 8] >> i % 8 & 1))
                continue;
            double weight = exp(((double)d->logits[i] - most) / (double)d->temperature);
            if (again == 0) {
                total += weight;
                continue;
            }
            sum += weight / total;
            *near = fmin(*near, fabs(sum - d->unit));
            if (token == UINT32_MAX && d->unit < sum) {
                token = i;
                *logprob = log(weight / total);
            }
        }
    }
    return token;
}

static void draws_follow_the_logits(void **state)
{
    (void)state;
    static const uint32_t counts[] = {2, 15, 16, 17, 255, 256, 257, 1000, 9000};
    float *logits = elm_malloc(9008 * sizeof(float)), sums[200];
    uint8_t *mask = elm_calloc(9216 / 8, 1);    /* masks are padded to 64 bytes */
    struct elm_rng rng = elm_rng(4, 4);
    for (size_t k = 0; k < ELM_COUNT(llama_kernels); k++) {
        struct kernel table;
        if (kernel_choose(llama_kernels[k], ELM_BF16, &table, NULL) != ELM_OK)
            continue;
        for (uint32_t i = 0; i < 120; i++) {
            struct drawing d = {.logits = logits, .count = counts[i % ELM_COUNT(counts)],
                                .temperature = i % 3 == 0 ? 0.5f : 1.5f,
                                .unit = elm_rng_unit(&rng), .sums = sums};
            for (uint32_t j = 0; j < d.count; j++) {
                bool open = elm_rng_chance(&rng, i % 5 == 1 ? 0.01 : 0.5);
                logits[j] = (float)(4 * elm_rng_normal(&rng));
                mask[j / 8] = (uint8_t)((mask[j / 8] & ~(1u << j % 8)) | (unsigned)open << j % 8);
            }
            mask[0] |= 2;
            d.mask = i % 2 == 0 ? NULL : mask;
            float logprob;
            double wanted, near;
            uint32_t token = slow_draw(&d, &wanted, &near);
            if (near > 1e-5) {
                assert_int_equal(table.draw(&d, &logprob), token);
                assert_true(fabs((double)logprob - wanted) < 1e-4);
            }
            /* no temperature: the largest that is admitted */
            d.temperature = 0;
            token = table.draw(&d, &logprob);
            for (uint32_t j = 0; j < d.count; j++)
                assert_true(!(d.mask == NULL || (mask[j / 8] >> j % 8 & 1)) ||
                            logits[j] <= logits[token]);
            assert_true(d.mask == NULL || (mask[token / 8] >> token % 8 & 1));
        }
        /* what is no number is never drawn */
        struct drawing d = {.logits = logits, .count = 300, .temperature = 1, .unit = 0.999999,
                            .sums = sums};
        float logprob;
        for (uint32_t j = 0; j < 300; j++)
            logits[j] = j % 3 == 1 ? -INFINITY : NAN;
        logits[200] = 3;
        assert_int_equal(table.draw(&d, &logprob), 200);
    }
    free(logits);
    free(mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_compute_what_a_slow_model_does),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(other_files_are_refused_by_name),
        cmocka_unit_test(draws_follow_the_logits),
    };
    rig_path(path);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
