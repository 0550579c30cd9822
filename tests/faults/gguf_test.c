/* gguf under faults: cut off, damaged, hostile, unreadable, unwritable. Whatever the bytes are, they
 * are refused with the field named or every byte that they promise is there. */
#include "../model_rig.h"
#include "model/gguf.h"

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* A file of two tensors, three keys; every number in it may be another one. */
struct spec {
    uint64_t magic, version, tensors, values;
    uint64_t key_len, key_byte, kind, alignment, flag, list_kind, list_len, string_len;
    uint64_t name_len, name_byte, dim_count, dim0, dim1, type, offset, second_byte, second_offset;
};
static const struct spec good = {
    .magic = 0x46554747, .version = 3, .tensors = 2, .values = 3, .key_len = 17, .key_byte = 'g',
    .kind = 4, .alignment = 32, .flag = 1, .list_kind = 8, .list_len = 2, .string_len = 1,
    .name_len = 4, .name_byte = 'a', .dim_count = 2, .dim0 = 32, .dim1 = 2, .type = ELM_GGUF_Q8_0,
    .offset = 0, .second_byte = 'b', .second_offset = 96,
};

static void add(struct elm_buf *b, uint64_t value, size_t bytes)
{
    elm_buf_add(b, &value, bytes);
}

static void add_tensor(struct elm_buf *b, const struct spec *s, uint64_t byte, uint64_t offset)
{
    add(b, s->name_len, 8);
    add(b, byte, 1);
    elm_buf_printf(b, ".ab");
    add(b, s->dim_count, 4);
    add(b, s->dim0, 8);
    add(b, s->dim1, 8);
    add(b, s->type, 4);
    add(b, offset, 8);
}

static void build(const struct spec *s, struct elm_buf *b)
{
    elm_buf_clear(b);
    add(b, s->magic, 4);
    add(b, s->version, 4);
    add(b, s->tensors, 8);
    add(b, s->values, 8);
    add(b, s->key_len, 8);
    add(b, s->key_byte, 1);
    elm_buf_printf(b, "eneral.alignment");
    add(b, s->kind, 4);
    add(b, s->alignment, 4);
    add(b, 4, 8);
    elm_buf_printf(b, "flag");
    add(b, GGUF_BOOL, 4);
    add(b, s->flag, 1);
    add(b, 4, 8);
    elm_buf_printf(b, "list");
    add(b, GGUF_ARRAY, 4);
    add(b, s->list_kind, 4);
    add(b, s->list_len, 8);
    add(b, s->string_len, 8);
    elm_buf_byte(b, 'x');
    add(b, 1, 8);
    elm_buf_byte(b, 'y');
    add_tensor(b, s, s->name_byte, s->offset);
    add_tensor(b, s, s->second_byte, s->second_offset);
    while (b->len % 32 != 0)
        elm_buf_byte(b, 0);
    for (int i = 0; i < 96 + 68; i++)
        elm_buf_byte(b, (uint8_t)i);
}

/* Reads all that an opened file promises. */
static uint64_t touch(const struct elm_gguf *g)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < g->value_count; i++) {
        const struct gguf_value *v = &g->values[i];
        sum += elm_hash(v->key.ptr, v->key.len, 0) + elm_hash(v->raw.ptr, v->raw.len, 0);
        struct elm_buf key = {0};
        elm_buf_add_str(&key, v->key);
        for (uint64_t k = 0; k < v->count; k++) {
            struct elm_str s;
            if (elm_gguf_array_string(g, key.ptr, k, &s) || elm_gguf_string(g, key.ptr, &s))
                sum += elm_hash(s.ptr, s.len, 0);
        }
        elm_buf_release(&key);
    }
    for (uint64_t i = 0; i < elm_gguf_tensor_count(g); i++) {
        const struct elm_gguf_tensor *t = elm_gguf_tensor_at(g, i);
        sum += elm_hash(t->data, t->bytes, 0);
    }
    return sum;
}

/* A copy that ends where the bytes end, so that the sanitizer sees every step beyond. */
static enum elm_status open_copy(const void *bytes, size_t len, struct elm_error *err)
{
    void *copy = elm_malloc(len + (len == 0));
    struct elm_gguf *g;
    memcpy(copy, bytes, len);
    enum elm_status status = elm_gguf_open_bytes(copy, len, &g, err);
    if (status == ELM_OK) {
        touch(g);
        elm_gguf_close(g);
    }
    free(copy);
    return status;
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct elm_buf b = {0};
    build(&good, &b);
    GIVES(ELM_OK, open_copy(b.ptr, b.len, ERR));
    for (size_t len = 0; len < b.len; len++) {
        struct elm_error err = {0};
        assert_int_equal(open_copy(b.ptr, len, &err), ELM_CORRUPT);
        assert_true(strlen(err.message) > 10);
    }
    elm_buf_release(&b);
}

static void any_byte_may_be_wrong(void **state)
{
    (void)state;
    struct elm_buf b = {0};
    uint32_t refused = 0;
    build(&good, &b);
    for (size_t at = 0; at < b.len - 96 - 68; at++) {
        char was = b.ptr[at];
        for (uint32_t change = 1; change < 256; change++) {
            b.ptr[at] = (char)(was ^ (int)change);
            refused += open_copy(b.ptr, b.len, NULL) != ELM_OK;
        }
        b.ptr[at] = was;
    }
    assert_true(refused > 10000);
    elm_buf_release(&b);
}

static const struct {
    size_t field;
    uint64_t value;
    enum elm_status status;
    const char *says, *and;
} faults[] = {
#define FIELD(name) offsetof(struct spec, name)
    {FIELD(magic), 0x55555555, ELM_CORRUPT, "'GGUF'", ""},
    {FIELD(version), 0, ELM_CORRUPT, "version 0", "2 and 3"},
    {FIELD(version), 1, ELM_CORRUPT, "version 1", "2 and 3"},
    {FIELD(version), 4, ELM_VERSION_TOO_NEW, "version 4", "2 and 3"},
    {FIELD(version), 0x03000000, ELM_CORRUPT, "big-endian", ""},
    {FIELD(tensors), UINT64_MAX, ELM_CORRUPT, "18446744073709551615 tensors", ""},
    {FIELD(tensors), 99, ELM_CORRUPT, "99 tensors", ""},
    {FIELD(tensors), 3, ELM_CORRUPT, "tensor", ""},
    {FIELD(values), UINT64_MAX, ELM_CORRUPT, "18446744073709551615 keys", ""},
    {FIELD(values), 4, ELM_CORRUPT, "", ""},
    {FIELD(key_len), UINT64_MAX, ELM_CORRUPT, "18446744073709551615 bytes", "cut off"},
    {FIELD(key_len), 0, ELM_CORRUPT, "key", "0 bytes"},
    {FIELD(key_byte), 0x1b, ELM_CORRUPT, "0x1b", "printable"},
    {FIELD(kind), 13, ELM_CORRUPT, "'general.alignment'", "type 13"},
    {FIELD(kind), GGUF_F32, ELM_CORRUPT, "general.alignment", "type 6"},
    {FIELD(alignment), 0, ELM_CORRUPT, "general.alignment", "is 0"},
    {FIELD(alignment), 4, ELM_CORRUPT, "general.alignment", "is 4"},
    {FIELD(alignment), 48, ELM_CORRUPT, "general.alignment", "is 48"},
    {FIELD(alignment), 1u << 31, ELM_CORRUPT, "general.alignment", "2147483648"},
    {FIELD(flag), 2, ELM_CORRUPT, "'flag'", "2"},
    {FIELD(list_kind), GGUF_ARRAY, ELM_CORRUPT, "'list'", "arrays"},
    {FIELD(list_kind), 99, ELM_CORRUPT, "'list'", "99"},
    {FIELD(list_kind), GGUF_F64, ELM_CORRUPT, "", ""},
    {FIELD(list_len), UINT64_MAX, ELM_CORRUPT, "'list'", "18446744073709551615"},
    {FIELD(list_len), 1000, ELM_CORRUPT, "'list'", "1000"},
    {FIELD(string_len), UINT64_MAX - 3, ELM_CORRUPT, "string", "cut off"},
    {FIELD(name_len), 64, ELM_CORRUPT, "tensor", "64 bytes"},
    {FIELD(name_len), 0, ELM_CORRUPT, "tensor", "0 bytes"},
    {FIELD(name_byte), 'b', ELM_CORRUPT, "'b.ab'", "twice"},
    {FIELD(name_byte), '\n', ELM_CORRUPT, "0x0a", "printable"},
    {FIELD(dim_count), 0, ELM_CORRUPT, "'a.ab'", "0 dimensions"},
    {FIELD(dim_count), 5, ELM_CORRUPT, "'a.ab'", "5 dimensions"},
    {FIELD(dim0), 0, ELM_CORRUPT, "'a.ab'", "dimension 0"},
    {FIELD(dim0), 33, ELM_CORRUPT, "'a.ab'", "33"},
    {FIELD(dim0), UINT64_MAX - 31, ELM_CORRUPT, "'a.ab'", "overflows"},
    {FIELD(dim1), 0, ELM_CORRUPT, "'a.ab'", "dimension 1"},
    {FIELD(dim1), UINT64_MAX, ELM_CORRUPT, "'a.ab'", "overflows"},
    {FIELD(dim1), 1000, ELM_CORRUPT, "'a.ab'", "34000 bytes"},
    {FIELD(type), 4, ELM_CORRUPT, "'a.ab'", "type 4"},
    {FIELD(type), UINT32_MAX, ELM_CORRUPT, "'a.ab'", "4294967295"},
    {FIELD(type), ELM_GGUF_Q6_K, ELM_CORRUPT, "'a.ab'", "Q6_K"},
    {FIELD(offset), 8, ELM_CORRUPT, "'a.ab'", "offset 8"},
    {FIELD(offset), UINT64_MAX - 31, ELM_CORRUPT, "'a.ab'", "offset 18446744073709551584"},
    {FIELD(second_offset), 128, ELM_CORRUPT, "'b.ab'", "offset 128"},
    {FIELD(second_offset), 64, ELM_CORRUPT, "'a.ab' and 'b.ab'", "overlap"},
    {FIELD(second_offset), 0, ELM_CORRUPT, "b.ab", "overlap"},
};

static void faults_are_named(void **state)
{
    (void)state;
    struct elm_buf b = {0};
    for (size_t i = 0; i < ELM_COUNT(faults); i++) {
        struct spec s = good;
        struct elm_error err = {0};
        memcpy((char *)&s + faults[i].field, &faults[i].value, sizeof(uint64_t));
        build(&s, &b);
        enum elm_status status = open_copy(b.ptr, b.len, &err);
        if (status != faults[i].status || strstr(err.message, faults[i].says) == NULL ||
            strstr(err.message, faults[i].and) == NULL)
            fail_msg("fault %zu: %d, '%s' for '%s' '%s'", i, status, err.message, faults[i].says,
                     faults[i].and);
    }
    elm_buf_release(&b);
}

static void a_key_may_not_stand_twice(void **state)
{
    (void)state;
    struct elm_buf b = {0};
    struct elm_error err = {0};
    build(&good, &b);
    char *flag = memmem(b.ptr, b.len, "flag", 4);
    assert_non_null(flag);
    memcpy(flag, "list", 4);
    assert_int_equal(open_copy(b.ptr, b.len, &err), ELM_CORRUPT);
    assert_non_null(strstr(err.message, "'list' stands twice"));
    elm_buf_release(&b);
}

/* ---- files ---- */

static void opens_as(const char *path, enum elm_status wanted, const char *says)
{
    struct elm_gguf *g;
    struct elm_error err = {0};
    assert_int_equal(elm_gguf_open(path, &g, &err), wanted);
    if (strstr(err.message, path) == NULL || strstr(err.message, says) == NULL)
        fail_msg("'%s' doesn't say '%s' and '%s'", err.message, path, says);
}

static void what_is_no_file(void **state)
{
    (void)state;
    char path[64];
    rig_path(path);
    opens_as(path, ELM_CORRUPT, "empty");
    GIVES(ELM_OK, elm_file_write(path, ELM_STR("GGUF"), ERR));
    opens_as(path, ELM_CORRUPT, "cut off");
    unlink(path);
    opens_as(path, ELM_NOT_FOUND, "No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    opens_as(path, ELM_IO, "pipe");
    unlink(path);
    opens_as("/tmp", ELM_IO, "folder");
    opens_as("/dev/zero", ELM_IO, "device");
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    char path[64], temporary[96];
    struct elm_error err = {0};
    struct elm_buf content = {0};
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    float zeros[4096] = {0};
    elm_gguf_put_tensor(w, "t", ELM_GGUF_F32, 1, (uint64_t[]){4096}, zeros);
    assert_int_equal(elm_gguf_write(w, "/no/such/folder/x.gguf", &err), ELM_IO);
    assert_non_null(strstr(err.message, "/no/such/folder/x.gguf"));
    rig_path(path);
    GIVES(ELM_OK, elm_file_write(path, ELM_STR("old"), ERR));
    /* as on a full disk: the write ends in the middle */
    struct rlimit was, small = {8192, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(elm_gguf_write(w, path, &err), ELM_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    GIVES(ELM_OK, elm_file_read(path, 100, &content, ERR));
    assert_string_equal(content.ptr, "old");
    snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, (int)getpid());
    assert_int_not_equal(access(temporary, F_OK), 0);
    GIVES(ELM_OK, elm_gguf_write(w, path, ERR));
    struct elm_gguf *g;
    GIVES(ELM_OK, elm_gguf_open(path, &g, ERR));
    assert_int_equal(elm_gguf_tensor(g, "t")->bytes, sizeof(zeros));
    elm_gguf_close(g);
    elm_gguf_writer_free(w);
    elm_buf_release(&content);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(any_byte_may_be_wrong),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(a_key_may_not_stand_twice),
        cmocka_unit_test(what_is_no_file),
        cmocka_unit_test(a_failed_write_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
