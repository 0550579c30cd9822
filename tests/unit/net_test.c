/* net: log-probabilities against the runtime's, every gradient against a numerical one. */
#include "../model_rig.h"
#include "elm/net.h"

#include <math.h>

static const struct elm_model_config tied = {
    .vocabulary = 30, .width = 20, .layers = 2, .heads = 4, .kv_heads = 2, .head_width = 6,
    .hidden = 14, .context_max = 64, .norm_epsilon = 1e-5f, .rope_base = 10000, .tied = true,
};

struct sample {
    uint32_t tokens[3][40];
    float coefficients[3][40], kl[3][40], reference[3][40], logprobs[3][40];
    struct elm_net_sequence sequences[3];
};

/* Three sequences; nothing is learnt of the first tokens of each. */
static void make_sample(struct sample *s, uint32_t vocabulary)
{
    static const uint32_t lengths[3] = {17, 1, 33};
    struct elm_rng rng = elm_rng(5, 1);
    memset(s, 0, sizeof(*s));
    for (int i = 0; i < 3; i++) {
        for (uint32_t j = 0; j < lengths[i]; j++) {
            s->tokens[i][j] = elm_rng_below(&rng, vocabulary);
            if (j < 4)
                continue;
            s->coefficients[i][j] = (float)elm_rng_unit(&rng) - 0.3f;
            s->kl[i][j] = j % 3 == 0 ? 0.2f : 0;
            s->reference[i][j] = -3 - (float)elm_rng_unit(&rng);
        }
        s->sequences[i] = (struct elm_net_sequence){
            .tokens = s->tokens[i], .count = lengths[i], .coefficients = s->coefficients[i],
            .kl = s->kl[i], .reference = s->reference[i], .logprobs = s->logprobs[i],
        };
    }
}

static struct elm_net *open_net(const struct elm_net_def *def)
{
    struct elm_net *n = NULL;
    GIVES(ELM_OK, elm_net_open(def, &n, ERR));
    return n;
}

static void clear(struct elm_net *n)
{
    uint32_t count;
    const struct elm_parameter *p = elm_net_parameters(n, &count);
    for (uint32_t i = 0; i < count; i++)
        memset(p[i].gradient, 0, (size_t)p[i].rows * p[i].cols * sizeof(float));
}

static double loss_of(struct elm_net *n, const struct sample *s)
{
    double loss = 0;
    GIVES(ELM_OK, elm_net_gradient(n, s->sequences, 3, &loss, ERR));
    return loss;
}

/* The same from log-probabilities alone. */
static double loss_forward(struct elm_net *n, const struct sample *s)
{
    double loss = 0;
    GIVES(ELM_OK, elm_net_logprobs(n, s->sequences, 3, ERR));
    for (int i = 0; i < 3; i++) {
        for (uint32_t j = 1; j < s->sequences[i].count; j++) {
            const double logprob = (double)s->logprobs[i][j];
            const double gap = (double)s->reference[i][j] - logprob;
            loss -= (double)s->coefficients[i][j] * logprob;
            loss += (double)s->kl[i][j] * (exp(gap) - gap - 1);
        }
    }
    return loss;
}

/* Weights larger than a fresh model's, so that no gradient is lost in rounding. */
static void stir(struct elm_net *n)
{
    uint32_t count;
    const struct elm_parameter *p = elm_net_parameters(n, &count);
    struct elm_rng rng = elm_rng(9, 9);
    for (uint32_t i = 0; i < count; i++) {
        for (size_t j = 0; j < (size_t)p[i].rows * p[i].cols; j++)
            p[i].weights[j] += 0.2f * (float)elm_rng_normal(&rng);
    }
}

static void check_gradients(const struct elm_net_def *def)
{
    struct sample s;
    uint32_t count;
    struct elm_net *n = open_net(def);
    make_sample(&s, elm_net_config(n)->vocabulary);
    stir(n);
    const struct elm_parameter *p = elm_net_parameters(n, &count);
    for (uint32_t i = 0; i < count; i++) {
        const size_t size = (size_t)p[i].rows * p[i].cols;
        float *analytic = elm_malloc(size * sizeof(float));
        double square = 0, off = 0;
        clear(n);
        assert_true(fabs(loss_of(n, &s) - loss_forward(n, &s)) < 1e-4);
        memcpy(analytic, p[i].gradient, size * sizeof(float));
        for (size_t j = 0; j < size; j++) {
            const float before = p[i].weights[j], step = 2e-3f;
            p[i].weights[j] = before + step;
            double up = loss_forward(n, &s), width = (double)p[i].weights[j];
            p[i].weights[j] = before - step;
            double down = loss_forward(n, &s);
            width -= (double)p[i].weights[j];
            p[i].weights[j] = before;
            double numeric = (up - down) / width, gap = numeric - (double)analytic[j];
            square += numeric * numeric;
            off += gap * gap;
        }
        if (!(sqrt(off) <= 6e-3 * sqrt(square) + 1e-3))
            fail_msg("%s: off by %g of %g", p[i].name, sqrt(off), sqrt(square));
        if (!(square > 1e-8))
            fail_msg("%s: the gradient is 0", p[i].name);
        free(analytic);
    }
    elm_net_close(n);
}

static void test_gradients(void **state)
{
    struct elm_model_config untied = tied;
    untied.tied = false;
    untied.layers = 1;
    (void)state;
    check_gradients(&(struct elm_net_def){.config = &tied, .precision = ELM_F32, .threads = 1});
    check_gradients(&(struct elm_net_def){.config = &untied, .precision = ELM_F32, .threads = 1,
                                          .kernel = ELM_KERNEL_PLAIN});
    check_gradients(&(struct elm_net_def){.config = &tied, .precision = ELM_F32, .threads = 1,
                                          .lora_rank = 3, .lora_alpha = 6});
}

/* bf16 inside: nearly the same direction. */
static void test_rough(void **state)
{
    struct sample s;
    uint32_t count;
    double product = 0, squares[2] = {0, 0};
    struct elm_net *n[2];
    (void)state;
    for (int k = 0; k < 2; k++) {
        n[k] = open_net(&(struct elm_net_def){.config = &tied, .threads = 1,
                                              .precision = k == 0 ? ELM_F32 : ELM_BF16});
        make_sample(&s, tied.vocabulary);
        stir(n[k]);
        clear(n[k]);
        loss_of(n[k], &s);
    }
    const struct elm_parameter *a = elm_net_parameters(n[0], &count);
    const struct elm_parameter *b = elm_net_parameters(n[1], &count);
    for (uint32_t i = 0; i < count; i++) {
        for (size_t j = 0; j < (size_t)a[i].rows * a[i].cols; j++) {
            double x = (double)a[i].gradient[j], y = (double)b[i].gradient[j];
            product += x * y;
            squares[0] += x * x;
            squares[1] += y * y;
        }
    }
    assert_true(product / sqrt(squares[0] * squares[1]) > 0.999);
    elm_net_close(n[0]);
    elm_net_close(n[1]);
}

static void test_threads(void **state)
{
    struct sample s;
    float *first = NULL;
    (void)state;
    make_sample(&s, tied.vocabulary);
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct elm_net *n = open_net(&(struct elm_net_def){.config = &tied, .threads = threads});
        uint32_t count;
        size_t size = 0;
        clear(n);
        loss_of(n, &s);
        const struct elm_parameter *p = elm_net_parameters(n, &count);
        for (uint32_t i = 0; i < count; i++)
            size += (size_t)p[i].rows * p[i].cols;
        if (threads == 1) {
            first = elm_malloc(size * sizeof(float));
            memcpy(first, p[0].gradient, size * sizeof(float));
        }
        assert_memory_equal(first, p[0].gradient, size * sizeof(float));
        elm_net_close(n);
    }
    free(first);
}

/* What the net says of a text is what the runtime says of the file that it writes. */
static void test_written(void **state)
{
    struct sample s;
    char path[64];
    (void)state;
    rig_path(path);
    struct elm_net *n = open_net(&(struct elm_net_def){.config = &tied, .precision = ELM_F32,
                                                       .threads = 1});
    make_sample(&s, tied.vocabulary);
    GIVES(ELM_OK, elm_net_write(n, path, ERR));
    elm_net_close(n);
    n = open_net(&(struct elm_net_def){.model = path, .precision = ELM_F32, .threads = 2});
    GIVES(ELM_OK, elm_net_logprobs(n, s.sequences, 3, ERR));
    elm_net_close(n);
    struct elm_model *m;
    GIVES(ELM_OK, elm_model_open(path, ELM_F32, ELM_KERNEL_AUTO, &m, ERR));
    struct elm_session *session = elm_session_new(m, 4);
    float logits[40 * 30];
    for (int i = 0; i < 3; i++) {
        const uint32_t count = s.sequences[i].count;
        GIVES(ELM_OK, elm_session_logits(session, s.tokens[i], count, logits, ERR));
        for (uint32_t j = 1; j < count; j++) {
            const float *at = logits + (j - 1) * tied.vocabulary;
            double sum = 0;
            for (uint32_t v = 0; v < tied.vocabulary; v++)
                sum += exp((double)at[v]);
            assert_true(fabs((double)at[s.tokens[i][j]] - log(sum) - (double)s.logprobs[i][j]) < 1e-4);
        }
    }
    elm_session_free(session);
    elm_model_close(m);
    unlink(path);
}

static void test_refusals(void **state)
{
    uint32_t bad = 30, many[65] = {0};
    struct elm_net_sequence s = {.tokens = &bad, .count = 1};
    struct elm_net *n = open_net(&(struct elm_net_def){.config = &tied, .threads = 1}), *other;
    (void)state;
    GIVES(ELM_USAGE, elm_net_logprobs(n, &s, 1, ERR));
    s = (struct elm_net_sequence){.tokens = many, .count = 65};
    GIVES(ELM_RANGE, elm_net_logprobs(n, &s, 1, ERR));
    s.count = 0;
    GIVES(ELM_OK, elm_net_logprobs(n, &s, 1, ERR));
    GIVES(ELM_OK, elm_net_logprobs(n, NULL, 0, ERR));
    elm_net_close(n);
    GIVES(ELM_USAGE, elm_net_open(&(struct elm_net_def){.config = &tied, .lora_rank = 21}, &other,
                                  ERR));
    GIVES(ELM_NOT_FOUND, elm_net_open(&(struct elm_net_def){.model = "/nowhere/x.gguf"}, &other,
                                      ERR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients), cmocka_unit_test(test_rough),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_written),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
