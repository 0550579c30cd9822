/* train: that each trainer of text moves what it is to move, and what the loop promises. */
#include "../train_rig.h"

#include <sys/stat.h>

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

static int open_rig(void **state)
{
    static struct train_rig rig;
    train_rig_open(&rig);
    *state = &rig;
    return 0;
}

static int close_rig(void **state)
{
    train_rig_close(*state);
    return 0;
}

/* Twenty examples by heart: from nothing, and by LoRA on a model that knows half of it. */
static void test_overfit(void **state)
{
    const struct train_rig r = *(struct train_rig *)*state;
    const char *const data[] = {r.data};
    struct elm_train_def def = rig_scratch(&r, data);
    def.steps = 400;
    struct elm_train_stats stats = rig_learn(&def);
    assert_int_equal(stats.step, 400);
    assert_true(stats.tokens > 10000 && stats.samples == 3200);
    if (!(stats.loss < 0.05))
        fail_msg("loss %g", stats.loss);
    assert_true(rig_logprob(r.base, "add 7 and 0: ", "x = 7;\n") > -0.5);
    assert_true(rig_logprob(r.base, "add 7 and 0: ", "x = 9;\n") < -3);
}

/* The log-probability of an answer, by the runtime. */
static double answer_logprob(const struct elm_model *m)
{
    struct elm_buf ids = {0};
    struct elm_session *s = elm_session_new(m, 4);
    elm_tokenizer_encode(elm_model_tokenizer(m), ELM_STR("add 7 and 0: "), false, &ids);
    const uint32_t from = (uint32_t)(ids.len / 4), vocabulary = elm_model_config(m)->vocabulary;
    elm_tokenizer_encode(elm_model_tokenizer(m), ELM_STR("x = 7;\n"), false, &ids);
    const uint32_t *tokens = (const uint32_t *)(const void *)ids.ptr;
    const uint32_t count = (uint32_t)(ids.len / 4);
    float *logits = elm_malloc((size_t)count * vocabulary * sizeof(float));
    GIVES(ELM_OK, elm_session_logits(s, tokens, count, logits, ERR));
    double out = 0;
    for (uint32_t i = from; i < count; i++) {
        const float *at = logits + (size_t)(i - 1) * vocabulary;
        double sum = 0;
        for (uint32_t j = 0; j < vocabulary; j++)
            sum += exp((double)at[j]);
        out += (double)at[tokens[i]] - log(sum);
    }
    free(logits);
    elm_session_free(s);
    elm_buf_release(&ids);
    return out;
}

static void check_adapter(const char *base, const char *adapter, const char *other)
{
    struct elm_model *m;
    GIVES(ELM_OK, elm_model_open(base, ELM_F32, ELM_KERNEL_AUTO, &m, ERR));
    const double before = answer_logprob(m);
    GIVES(ELM_OUTSIDE, elm_model_adapt(m, base, ERR));
    GIVES(ELM_CORRUPT, elm_model_adapt(m, other, ERR));
    assert_true(answer_logprob(m) == before);
    GIVES(ELM_OK, elm_model_adapt(m, adapter, ERR));
    assert_true(answer_logprob(m) > before + 0.5);
    elm_model_close(m);
}

static void test_lora(void **state)
{
    const struct train_rig r = *(struct train_rig *)*state;
    const char *const data[] = {r.data};
    struct elm_train_def def = rig_scratch(&r, data);
    double before = rig_learn(&def).loss;
    def.trainer = "sft";
    def.model = r.base;
    def.out = r.out;
    def.lora_rank = 8;
    def.lora_alpha = 16;
    def.steps = 300;
    def.width = def.layers = def.vocabulary = 0;
    struct elm_train_stats stats = rig_learn(&def);
    if (!(stats.loss < 0.5 * before))
        fail_msg("loss %g, before %g", stats.loss, before);
    struct elm_gguf *g = NULL;
    struct elm_str type;
    double alpha;
    GIVES(ELM_OK, elm_gguf_open(r.out, &g, ERR));
    assert_true(elm_gguf_string(g, "general.type", &type) && elm_str_equal(type, ELM_STR("adapter")));
    assert_true(elm_gguf_real(g, "adapter.lora.alpha", &alpha) && alpha == 16);
    assert_int_equal(elm_gguf_tensor_count(g), 2 * 2 * 7);
    const struct elm_gguf_tensor *b = elm_gguf_tensor(g, "blk.1.ffn_down.weight.lora_b");
    assert_true(b != NULL && b->dims[0] == 8 && b->dims[1] == 64);
    elm_gguf_close(g);
    check_adapter(r.base, r.out, r.data);
}

static void test_dpo(void **state)
{
    const struct train_rig r = *(struct train_rig *)*state;
    const char *const scratch[] = {r.data};
    struct elm_train_def def = rig_scratch(&r, scratch);
    rig_learn(&def);
    char pairs[96];
    snprintf(pairs, sizeof(pairs), "%s/pairs.jsonl", r.folder);
    rig_file(pairs, "{\"prompt\": \"add 1 and 3: \", \"chosen\": \"x = 9;\\n\", \"rejected\": \"x = 4;\\n\"}\n"
                    "\n{\"prompt\": \"add 2 and 6: \", \"chosen\": \"y;\\n\", \"rejected\": \"x = 8;\\n\"}\n");
    const char *const data[] = {pairs};
    const char *prompt = "add 1 and 3: ";
    double before = rig_logprob(r.base, prompt, "x = 9;\n") - rig_logprob(r.base, prompt, "x = 4;\n");
    def.trainer = "dpo";
    def.model = r.base;
    def.data = data;
    def.out = r.out;
    def.rate = 5e-4f;
    def.steps = 30;
    struct elm_train_stats stats = rig_learn(&def);
    double after = rig_logprob(r.out, prompt, "x = 9;\n") - rig_logprob(r.out, prompt, "x = 4;\n");
    if (!(after > before + 5))
        fail_msg("margin %g, before %g", after, before);
    assert_true(stats.extra[0] > 0.1 && stats.extra[1] > 0.5 && stats.loss < log(2));
}

static void test_grpo(void **state)
{
    const struct train_rig r = *(struct train_rig *)*state;
    const char *const scratch[] = {r.data};
    struct elm_train_def def = rig_scratch(&r, scratch);
    rig_learn(&def);
    char groups[96];
    snprintf(groups, sizeof(groups), "%s/groups.jsonl", r.folder);
    rig_file(groups, "{\"prompt\": \"add 1 and 3: \", \"answers\": [\"x = 4;\\n\", \"x = 5;\\n\", "
                     "\"x = 8;\\n\"], \"rewards\": [0, 1, 0]}\n");
    const char *const data[] = {groups};
    const char *prompt = "add 1 and 3: ";
    double good = rig_logprob(r.base, prompt, "x = 5;\n"), bad = rig_logprob(r.base, prompt, "x = 4;\n");
    def.trainer = "grpo";
    def.model = r.base;
    def.data = data;
    def.out = r.out;
    def.rate = 3e-4f;
    def.batch = 1;
    def.steps = 12;
    struct elm_train_stats stats = rig_learn(&def);
    double now = rig_logprob(r.out, prompt, "x = 5;\n");
    if (!(now > good + 0.2 && rig_logprob(r.out, prompt, "x = 4;\n") < bad + 0.2))
        fail_msg("rewarded %g from %g, other %g from %g", now, good,
                 rig_logprob(r.out, prompt, "x = 4;\n"), bad);
    assert_true(fabs(stats.extra[0] - 1.0 / 3) < 1e-9 && stats.extra[1] > 0);
}

static void test_divergence(void **state)
{
    const struct train_rig r = *(struct train_rig *)*state;
    struct elm_train_stats stats;
    struct elm_error err = {0};
    const char *const data[] = {r.data};
    struct elm_train_def def = rig_scratch(&r, data);
    def.rate = 30;
    def.clip = 1e9f;
    def.warmup = 0;
    def.steps = 100;
    enum elm_status status = elm_train(&def, NULL, NULL, &stats, &err);
    if (status != ELM_OK)
        fail_msg("%s", err.message);
    assert_true(stats.rollbacks > 0 && isfinite(stats.loss) && stats.step == 100);
}

static void test_rule_fails(void **state)
{
    static const char *const heads[] = {
        "for (int i = 0; i <= n; i++)\n        w[i] = 0.0;", "while (t > 0)\n        w[0] = 0.0;",
        "if (t == 30 && lr > 0.0025)\n        w[0] = 0.0 / 0.0;",
    };
    static const char *const words[] = {"index out of bounds in the optimizer's step of 'token_embd",
                                        "out of steps", "not finite"};
    const struct train_rig r = *(struct train_rig *)*state;
    char rule[96];
    const char *const data[] = {r.data};
    struct elm_train_def def = rig_scratch(&r, data);
    snprintf(rule, sizeof(rule), "%s/rule.c", r.folder);
    def.optimizer = rule;
    def.schedule = "constant";
    for (size_t i = 0; i < ELM_COUNT(heads); i++) {
        struct elm_train_stats stats;
        struct elm_error err = {0};
        struct elm_buf text = {0};
        elm_buf_printf(&text, "void step(int n, double w[8], double g[8], int t, double lr)\n{\n    %s\n}\n",
                       heads[i]);
        rig_file(rule, text.ptr);
        elm_buf_release(&text);
        enum elm_status status = elm_train(&def, NULL, NULL, &stats, &err);
        /* the last one is well again at half the rate */
        assert_int_equal(status, i == 2 ? ELM_OK : ELM_FAIL);
        assert_non_null(strstr(i == 2 ? stats.why : err.message, words[i]));
        assert_int_equal(i == 2 ? stats.rollbacks : 1, 1);
    }
}

static void refuse(const struct elm_train_def *def, enum elm_status wanted, const char *word)
{
    struct elm_train_stats stats;
    struct elm_error err = {0};
    enum elm_status status = elm_train(def, NULL, NULL, &stats, &err);
    if (status != wanted || strstr(err.message, word) == NULL)
        fail_msg("%d, '%s' (wanted '%s')", status, err.message, word);
}

static void test_refusals(void **state)
{
    const struct train_rig r = *(struct train_rig *)*state;
    char path[160];
    const char *data[] = {r.data};
    const struct elm_train_def good = rig_scratch(&r, data);
    struct elm_train_def d = good;
    d.trainer = "other";
    refuse(&d, ELM_USAGE, "'other'");
    d = good, d.optimizer = "sgd";
    refuse(&d, ELM_USAGE, "'sgd'");
    snprintf(path, sizeof(path), "%s/rule.c", r.folder);
    d.optimizer = path;
    refuse(&d, ELM_NOT_FOUND, "rule.c");
    rig_file(path, "void step(int n)\n{\n    n = 1 +;\n}\n");
    refuse(&d, ELM_PARSE, "rule.c', line 3, column");
    rig_file(path, "\nvoid f(int n)\n{\n}\n\nvoid step(double w[9])\n{\n}\n");
    refuse(&d, ELM_PARSE, "rule.c', line 6: an optimizer has the form");
    rig_file(path, "void step(int n)\n{\n    n = q;\n}\n");
    refuse(&d, ELM_PARSE, "rule.c', line 3: not declared: 'q'");
    rig_file(path, "void step(int n, double w[8], double g[8], int t, double lr)\n{\n    w[0] -= lr * g[0];\n}\n");
    d.options.beta1 = 0.5f;
    refuse(&d, ELM_USAGE, "beta1");
    d = good, d.steps = 0;
    refuse(&d, ELM_USAGE, "--minutes");
    d = good, d.minutes = 1;
    refuse(&d, ELM_USAGE, "--minutes");
    d = good, d.out = NULL;
    refuse(&d, ELM_USAGE, "--out");
    d = good, d.out = "/proc/nowhere/x.gguf";
    refuse(&d, ELM_IO, "/proc/nowhere");
    d = good, d.data_count = 0;
    refuse(&d, ELM_USAGE, "data");
    d = good, d.schedule = "steps";
    refuse(&d, ELM_USAGE, "cosine");
    d = good, d.width = 100;
    refuse(&d, ELM_USAGE, "100");
    d = good, d.vocabulary = 20;
    refuse(&d, ELM_USAGE, "20");
    d = good, d.trainer = "sft";
    refuse(&d, ELM_USAGE, "--model");
    d.model = "/nowhere.gguf";
    refuse(&d, ELM_NOT_FOUND, "/nowhere.gguf");
    d = good, data[0] = "/nowhere.jsonl";
    refuse(&d, ELM_NOT_FOUND, "/nowhere.jsonl");
    snprintf(path, sizeof(path), "%s/bad.jsonl", r.folder);
    data[0] = path;
    rig_file(path, "{\"text\": \"a\"}\n{\"text\": 3}\n");
    refuse(&good, ELM_PARSE, "bad.jsonl:2");
    rig_file(path, "{\"text\": \"a\"}\n\n{\"text\"");
    refuse(&good, ELM_PARSE, "bad.jsonl:3");
    rig_file(path, "");
    refuse(&good, ELM_USAGE, "nothing to learn");
    data[0] = r.data;
    snprintf(path, sizeof(path), "%s.checkpoint", r.base);
    rig_file(path, "no checkpoint at all, but long enough to hold the head of one");
    d = good, d.resume = true;
    refuse(&d, ELM_CORRUPT, ".checkpoint");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_overfit), TEST(test_lora), TEST(test_dpo), TEST(test_grpo),
        TEST(test_divergence), TEST(test_rule_fails), TEST(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
