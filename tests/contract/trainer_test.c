/* trainer: what every registered one must keep to. */
#include "../train_rig.h"

#include "../edits_rig.h"

#include <string.h>

/* What each form of data looks like; the first that a trainer takes is its own. */
static const char *const forms[] = {
    "{\"prompt\": \"add 1 and 3: \", \"completion\": \"x = 4;\\n\"}\n{\"prompt\": \"\", \"completion\": \"y\"}\n",
    "{\"prompt\": \"add 1 and 3: \", \"chosen\": \"x = 4;\\n\", \"rejected\": \"x = 5;\\n\"}\n",
    "{\"prompt\": \"add 1 and 3: \", \"answers\": [\"x = 4;\\n\", \"z\"], \"rewards\": [1, 0]}\n",
};

/* Opens a trainer on what it can learn from. */
static void *open_kind(const struct elm_trainer_kind *kind, struct elm_train_def *def,
                       const struct train_rig *r)
{
    void *self = NULL;
    struct elm_error err = {0};
    enum elm_status status = ELM_FAIL;
    if (!kind->needs_model)
        def->model = NULL;
    if (!kind->needs_data) {
        def->data_count = 0;
        status = kind->open(def, &self, &err);
    }
    for (size_t i = 0; kind->needs_data && status != ELM_OK && i < ELM_COUNT(forms); i++) {
        rig_file(r->data, forms[i]);
        status = kind->open(def, &self, &err);
        assert_true(status == ELM_OK || status == ELM_PARSE);
    }
    if (kind->needs_data && status != ELM_OK) {
        def->data = r->runs;
        status = kind->open(def, &self, &err);
    }
    if (status != ELM_OK)
        fail_msg("%s: %s", kind->name, err.message);
    return self;
}

static void clear(const struct elm_parameter *p, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        memset(p[i].gradient, 0, (size_t)p[i].rows * p[i].cols * sizeof(float));
}

/* The gradient of one batch, in one piece. */
static float *gradient(const struct elm_trainer_kind *kind, void *self, uint64_t step, size_t *size,
                       struct elm_batch_report *report)
{
    uint32_t count;
    const struct elm_parameter *p = kind->parameters(self, &count);
    size_t at = 0;
    clear(p, count);
    *report = (struct elm_batch_report){0};
    GIVES(ELM_OK, kind->gradient(self, step, report, ERR));
    assert_true(isfinite(report->loss) && report->tokens > 0 && report->samples > 0);
    for (uint32_t i = 0; i < count; i++)
        *size = at += (size_t)p[i].rows * p[i].cols;
    float *all = elm_malloc(*size * sizeof(float));
    at = 0;
    for (uint32_t i = 0; i < count; i++) {
        const size_t some = (size_t)p[i].rows * p[i].cols;
        assert_true(p[i].name != NULL && some > 0);
        memcpy(all + at, p[i].gradient, some * sizeof(float));
        at += some;
    }
    return all;
}

/* What is written holds nothing of the batches seen: a training gone on with has not seen them. */
static void check_written(const struct elm_trainer_kind *kind, void *self,
                          struct elm_train_def *def, const struct train_rig *r)
{
    const struct elm_train_stats said = {.step = 4, .steps = 4, .samples = 8, .loss = 2};
    struct elm_buf seen = {0}, unseen = {0};
    struct elm_gguf *g = NULL;
    GIVES(ELM_OK, kind->write(self, &said, r->out, ERR));
    GIVES(ELM_OK, elm_gguf_open(r->out, &g, ERR));
    assert_true(elm_gguf_tensor_count(g) > 0);
    elm_gguf_close(g);
    GIVES(ELM_IO, kind->write(self, &said, "/proc/nowhere/x.gguf", ERR));
    GIVES(ELM_OK, elm_file_read(r->out, (size_t)1 << 28, &seen, ERR));
    void *fresh = open_kind(kind, def, r);
    GIVES(ELM_OK, kind->write(fresh, &said, r->out, ERR));
    kind->close(fresh);
    GIVES(ELM_OK, elm_file_read(r->out, (size_t)1 << 28, &unseen, ERR));
    assert_int_equal(seen.len, unseen.len);
    assert_memory_equal(seen.ptr, unseen.ptr, seen.len);
    elm_buf_release(&seen);
    elm_buf_release(&unseen);
}

/* A gradient is a function of definition, weights and step, whatever was asked before and by however
 * many threads. */
static void test_gradient_repeats(void **state)
{
    struct train_rig r;
    (void)state;
    train_rig_open(&r);
    const char *const data[] = {r.data};
    edits_rig_run(r.run, 60);
    r.runs[0] = r.run;
    const struct elm_train_def base = rig_scratch(&r, data);
    rig_learn(&base);
    for (size_t k = 0; elm_trainer_kinds[k] != NULL; k++) {
        const struct elm_trainer_kind *kind = elm_trainer_kinds[k];
        struct elm_train_def def = {.trainer = kind->name, .model = r.base, .data = data,
                                    .data_count = 1, .out = r.out, .steps = 4, .batch = 2, .seed = 5,
                                    .context = 32, .threads = 1};
        struct elm_batch_report first, again;
        size_t size = 0, other = 0;
        double square = 0;
        assert_ptr_equal(elm_trainer_find(kind->name), kind);
        assert_true(kind->summary[0] != '\0');
        void *self = open_kind(kind, &def, &r);
        float *a = gradient(kind, self, 3, &size, &first);
        for (size_t i = 0; i < size; i++) {
            assert_true(isfinite(a[i]));
            square += (double)a[i] * (double)a[i];
        }
        assert_true(square > 0);
        kind->close(self);
        def.threads = 2;
        self = open_kind(kind, &def, &r);
        free(gradient(kind, self, 1, &other, &again));
        float *b = gradient(kind, self, 3, &other, &again);
        assert_int_equal(size, other);
        assert_memory_equal(a, b, size * sizeof(float));
        assert_true(first.loss == again.loss && first.tokens == again.tokens);
        check_written(kind, self, &def, &r);
        kind->close(self);
        free(a);
        free(b);
    }
    train_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
