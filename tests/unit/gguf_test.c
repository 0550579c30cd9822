/* gguf: what is written is read again, values of every kind convert, blocks dequantise by their
 * formulas. tests/faults/gguf_test.c has what must be refused. */
#include "../model_rig.h"

#include <math.h>

static struct elm_gguf *written(struct elm_gguf_writer *w)
{
    char path[64];
    struct elm_gguf *g;
    rig_path(path);
    GIVES(ELM_OK, elm_gguf_write(w, path, ERR));
    GIVES(ELM_OK, elm_gguf_open(path, &g, ERR));
    unlink(path);    /* the mapping stays */
    elm_gguf_writer_free(w);
    return g;
}

static void numbers_convert(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, -1, UINT32_MAX, (int64_t)UINT32_MAX + 1, INT32_MIN,
                                     (int64_t)INT32_MIN - 1, INT64_MAX, INT64_MIN};
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    char key[32];
    for (size_t i = 0; i < ELM_COUNT(values); i++) {
        snprintf(key, sizeof(key), "int.%zu", i);
        elm_gguf_put_int(w, key, values[i]);
    }
    elm_gguf_put_real(w, "real", 1e-5);
    elm_gguf_put_bool(w, "yes", true);
    elm_gguf_put_string(w, "empty", ELM_STR(""));
    elm_gguf_put_string(w, "twice", ELM_STR("first"));
    elm_gguf_put_string(w, "twice", ELM_STR("second"));
    struct elm_gguf *g = written(w);
    int64_t i64;
    double real;
    bool yes = false;
    struct elm_str s;
    for (size_t i = 0; i < ELM_COUNT(values); i++) {
        snprintf(key, sizeof(key), "int.%zu", i);
        assert_true(elm_gguf_int(g, key, &i64) && i64 == values[i]);
        assert_false(elm_gguf_real(g, key, &real));
        assert_false(elm_gguf_bool(g, key, &yes));
        assert_false(elm_gguf_string(g, key, &s));
    }
    assert_true(elm_gguf_real(g, "real", &real) && real == (double)1e-5f);
    assert_false(elm_gguf_int(g, "real", &i64));
    assert_true(elm_gguf_bool(g, "yes", &yes) && yes);
    assert_false(elm_gguf_int(g, "yes", &i64));
    assert_true(elm_gguf_string(g, "empty", &s) && s.len == 0);
    assert_true(elm_gguf_string(g, "twice", &s) && elm_str_equal(s, ELM_STR("second")));
    assert_false(elm_gguf_int(g, "none", &i64));
    assert_int_equal(elm_gguf_tensor_count(g), 0);
    assert_null(elm_gguf_tensor(g, "none"));
    elm_gguf_close(g);
}

/* A file of version 2 by hand, with the kinds that the writer never writes. */
static void narrow_and_wide_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint32_t kind;
        uint64_t bits;
        size_t bytes;
        int64_t value;
    } kinds[] = {
        {"a.u8", 0, 0xff, 1, 255}, {"b.i8", 1, 0xff, 1, -1}, {"c.u16", 2, 0xffff, 2, 65535},
        {"d.i16", 3, 0x8000, 2, -32768}, {"e.i32", 5, 0x80000000, 4, INT32_MIN},
        {"f.u64", 10, 1ull << 40, 8, 1ll << 40}, {"g.u64", 10, UINT64_MAX, 8, -1},
        {"h.f64", 12, 0x3ff8000000000000, 8, -1},
    };
    uint32_t version = 2;
    uint64_t counts[2] = {0, ELM_COUNT(kinds)};
    struct elm_buf b = {0};
    elm_buf_add(&b, "GGUF", 4);
    elm_buf_add(&b, &version, 4);
    elm_buf_add(&b, counts, 16);
    for (size_t i = 0; i < ELM_COUNT(kinds); i++) {
        uint64_t len = strlen(kinds[i].key);
        elm_buf_add(&b, &len, 8);
        elm_buf_printf(&b, "%s", kinds[i].key);
        elm_buf_add(&b, &kinds[i].kind, 4);
        elm_buf_add(&b, &kinds[i].bits, kinds[i].bytes);
    }
    struct elm_gguf *g;
    int64_t v;
    double real;
    GIVES(ELM_OK, elm_gguf_open_bytes(b.ptr, b.len, &g, ERR));
    for (size_t i = 0; i < 6; i++)
        assert_true(elm_gguf_int(g, kinds[i].key, &v) && v == kinds[i].value);
    assert_false(elm_gguf_int(g, "g.u64", &v));    /* beyond int64_t */
    assert_true(elm_gguf_real(g, "h.f64", &real) && real == 1.5);
    elm_gguf_close(g);
    elm_buf_release(&b);
}

static void arrays(void **state)
{
    (void)state;
    static const int32_t ints[] = {3, -4, 5};
    static const float reals[] = {0.5f, -2.0f};
    const struct elm_str strings[] = {ELM_STR("a"), ELM_STR(""), ELM_STR("long enough to matter")};
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    elm_gguf_put_ints(w, "ints", ints, 3);
    elm_gguf_put_reals(w, "reals", reals, 2);
    elm_gguf_put_strings(w, "strings", strings, 3);
    elm_gguf_put_strings(w, "nothing", NULL, 0);
    struct elm_gguf *g = written(w);
    uint64_t n;
    int64_t i64;
    double real;
    struct elm_str s;
    assert_true(elm_gguf_array(g, "ints", &n) && n == 3);
    assert_true(elm_gguf_array(g, "nothing", &n) && n == 0);
    assert_false(elm_gguf_array(g, "none", &n));
    assert_false(elm_gguf_int(g, "ints", &i64));
    for (uint64_t i = 0; i < 3; i++) {
        assert_true(elm_gguf_array_int(g, "ints", i, &i64) && i64 == ints[i]);
        assert_true(elm_gguf_array_string(g, "strings", i, &s) && elm_str_equal(s, strings[i]));
    }
    assert_false(elm_gguf_array_int(g, "ints", 3, &i64));
    assert_false(elm_gguf_array_string(g, "ints", 0, &s));
    assert_false(elm_gguf_array_string(g, "nothing", 0, &s));
    assert_true(elm_gguf_array_real(g, "reals", 1, &real) && real == -2.0);
    assert_false(elm_gguf_array_real(g, "strings", 0, &real));
    elm_gguf_close(g);
}

static void tensors_come_back(void **state)
{
    (void)state;
    float big[3 * 40];
    uint8_t quantised[2 * 20];
    for (size_t i = 0; i < ELM_COUNT(big); i++)
        big[i] = (float)i;
    for (size_t i = 0; i < sizeof(quantised); i++)
        quantised[i] = (uint8_t)(i * 7);
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    elm_gguf_put_tensor(w, "z.first", ELM_GGUF_F32, 2, (uint64_t[]){40, 3}, big);
    elm_gguf_put_tensor(w, "a.second", ELM_GGUF_Q4_1, 3, (uint64_t[]){32, 1, 2}, quantised);
    elm_gguf_put_tensor(w, "m.third", ELM_GGUF_F32, 1, (uint64_t[]){1}, big + 5);
    struct elm_gguf *g = written(w);
    assert_int_equal(elm_gguf_tensor_count(g), 3);
    const struct elm_gguf_tensor *t = elm_gguf_tensor(g, "z.first");
    assert_ptr_equal(t, elm_gguf_tensor_at(g, 0));
    assert_true(t->dim_count == 2 && t->dims[0] == 40 && t->dims[1] == 3 && t->dims[2] == 1);
    assert_int_equal(t->bytes, sizeof(big));
    assert_memory_equal(t->data, big, sizeof(big));
    t = elm_gguf_tensor(g, "a.second");
    assert_true(t->type == ELM_GGUF_Q4_1 && t->dim_count == 3 && t->dims[2] == 2);
    assert_memory_equal(t->data, quantised, sizeof(quantised));
    assert_true((uintptr_t)t->data % 32 == 0);
    t = elm_gguf_tensor(g, "m.third");
    assert_true(t->bytes == 4 && *(const float *)t->data == 5.0f);
    assert_null(elm_gguf_tensor(g, "a.secon"));
    assert_null(elm_gguf_tensor(g, "a.second2"));
    elm_gguf_close(g);
}

static void metadata_is_copied(void **state)
{
    (void)state;
    struct rig_vocabulary v;
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    rig_vocabulary(&v);
    rig_put_tokenizer(w, &v, "smollm");
    elm_gguf_put_int(w, "general.alignment", 64);    /* the writer's own counts */
    struct elm_gguf *from = written(w);
    w = elm_gguf_writer_new();
    elm_gguf_put_string(w, "general.architecture", ELM_STR("mine"));
    elm_gguf_put_all(w, from);
    elm_gguf_close(from);
    float one = 1.0f;
    elm_gguf_put_tensor(w, "t", ELM_GGUF_F32, 1, (uint64_t[]){1}, &one);
    struct elm_gguf *g = written(w);
    struct elm_str s;
    int64_t i64;
    uint64_t n;
    assert_true(elm_gguf_string(g, "general.architecture", &s) && elm_str_equal(s, ELM_STR("mine")));
    assert_false(elm_gguf_int(g, "general.alignment", &i64));
    assert_true(elm_gguf_array(g, "tokenizer.ggml.tokens", &n) && n == RIG_TOKENS);
    for (uint64_t i = 0; i < n; i++) {
        assert_true(elm_gguf_array_string(g, "tokenizer.ggml.tokens", i, &s) &&
                    elm_str_equal(s, elm_buf_str(&v.texts[i])));
    }
    assert_true(elm_gguf_int(g, "tokenizer.ggml.eos_token_id", &i64) && i64 == RIG_IM_END);
    elm_gguf_close(g);
    rig_vocabulary_release(&v);
}

static void halves(void **state)
{
    (void)state;
    static const struct {
        uint16_t bits;
        float value;
    } known[] = {{0x0000, 0.0f}, {0x3c00, 1.0f}, {0xc000, -2.0f}, {0x7bff, 65504.0f},
                 {0x0400, 0x1p-14f}, {0x0001, 0x1p-24f}, {0x83ff, -1023 * 0x1p-24f},
                 {0x3555, 0.333251953125f}, {0x7c00, HUGE_VALF}, {0xfc00, -HUGE_VALF}};
    float out;
    for (size_t i = 0; i < ELM_COUNT(known); i++) {
        assert_true(elm_gguf_dequantize(ELM_GGUF_F16, &known[i].bits, 1, &out));
        assert_true(out == known[i].value);
    }
    assert_true(elm_gguf_dequantize(ELM_GGUF_F16, &(uint16_t){0x8000}, 1, &out) && signbit(out));
    assert_true(elm_gguf_dequantize(ELM_GGUF_F16, &(uint16_t){0x7e01}, 1, &out) && isnan(out));
    assert_true(elm_gguf_dequantize(ELM_GGUF_BF16, &(uint16_t){0xbfc0}, 1, &out) && out == -1.5f);
}

/* Hashes of what the gguf package of Python (0.19.0) makes of the same bytes. */
static void blocks_are_those_of_ggml(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        uint64_t hash;
    } types[] = {
        {ELM_GGUF_Q4_0, 0x0bcb633c11e515f8}, {ELM_GGUF_Q4_1, 0xd5d0c66347c65bee},
        {ELM_GGUF_Q5_0, 0x993d61fda9ff8c28}, {ELM_GGUF_Q5_1, 0x700dde6f81eaf1dd},
        {ELM_GGUF_Q8_0, 0x054ab5ea6fcaf3f0}, {ELM_GGUF_Q4_K, 0xf1c5612b84112c9d},
        {ELM_GGUF_Q6_K, 0xb972e55a7e0f6746},
    };
    for (size_t i = 0; i < ELM_COUNT(types); i++) {
        uint8_t bytes[4096];
        float out[1024];
        size_t len = elm_gguf_row_bytes(types[i].type, 1024);
        size_t block = elm_gguf_row_bytes(types[i].type, types[i].type < 10 ? 32 : 256);
        assert_true(len > 0 && len <= sizeof(bytes) && block > 0);
        uint32_t x = types[i].type;
        for (size_t k = 0; k < len; k++) {
            /* where scales stand, the bits that would make a half infinite stay clear */
            bool scale = k % block == 1 || k % block == 3 || k % block == block - 1;
            x = x * 1664525 + 1013904223;
            bytes[k] = (uint8_t)((x >> 24) & (scale ? 0xbb : 0xff));
        }
        assert_true(elm_gguf_dequantize(types[i].type, bytes, 1024, out));
        uint64_t hash = elm_hash(out, sizeof(out), 0);
        if (hash != types[i].hash)
            fail_msg("type %u: hash %016llx", types[i].type, (unsigned long long)hash);
    }
}

static void sizes_of_rows(void **state)
{
    (void)state;
    float out[32];
    assert_int_equal(elm_gguf_row_bytes(ELM_GGUF_F32, 7), 28);
    assert_int_equal(elm_gguf_row_bytes(ELM_GGUF_Q4_1, 64), 40);
    assert_int_equal(elm_gguf_row_bytes(ELM_GGUF_Q4_1, 33), 0);
    assert_int_equal(elm_gguf_row_bytes(ELM_GGUF_Q6_K, 512), 420);
    assert_int_equal(elm_gguf_row_bytes(13, 256), 176);    /* Q5_K: known, not read */
    assert_false(elm_gguf_dequantize(13, "", 0, out));
    assert_string_equal(elm_gguf_type_name(13), "Q5_K");
    assert_int_equal(elm_gguf_row_bytes(4, 32), 0);
    assert_int_equal(elm_gguf_row_bytes(999, 32), 0);
    assert_null(elm_gguf_type_name(4));
    assert_int_equal(elm_gguf_row_bytes(ELM_GGUF_F32, UINT64_MAX / 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_convert),
        cmocka_unit_test(narrow_and_wide_kinds),
        cmocka_unit_test(arrays),
        cmocka_unit_test(tensors_come_back),
        cmocka_unit_test(metadata_is_copied),
        cmocka_unit_test(halves),
        cmocka_unit_test(blocks_are_those_of_ggml),
        cmocka_unit_test(sizes_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
