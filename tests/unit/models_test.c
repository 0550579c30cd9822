/* models: files by name, and their hashes. */
#include "../model_rig.h"
#include "elm/models.h"

#include <sys/stat.h>

static void add_name(void *ctx, const char *name, const char *path)
{
    assert_non_null(strstr(path, name));
    elm_buf_printf(ctx, "%s ", name);
}

static void models_by_name(void **state)
{
    (void)state;
    char folder[64], file[128], hex[65];
    struct elm_buf path = {0};
    struct elm_error err = {0};
    rig_path(folder);
    unlink(folder);
    assert_int_equal(elm_model_find("smollm2", folder, &path, &err), ELM_NOT_FOUND);
    assert_non_null(strstr(err.message, "elm models pull smollm2"));
    assert_int_equal(elm_model_find("other", folder, &path, &err), ELM_NOT_FOUND);
    assert_non_null(strstr(err.message, "'other'"));
    assert_int_equal(elm_model_find("", folder, &path, &err), ELM_NOT_FOUND);
    assert_int_equal(elm_model_find("/", folder, &path, &err), ELM_NOT_FOUND);
    assert_int_equal(elm_model_find("no/such.gguf", folder, &path, &err), ELM_NOT_FOUND);
    assert_int_equal(path.len, 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(file, sizeof(file), "%s/other.gguf", folder);
    GIVES(ELM_OK, elm_file_write(file, ELM_STR("abc"), ERR));
    GIVES(ELM_OK, elm_model_find("other", folder, &path, ERR));
    assert_string_equal(path.ptr, file);
    elm_buf_clear(&path);
    GIVES(ELM_OK, elm_model_find(file, NULL, &path, ERR));
    assert_string_equal(path.ptr, file);
    GIVES(ELM_OK, elm_file_sha256(file, hex, ERR));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    elm_buf_clear(&path);
    snprintf(file, sizeof(file), "%s/other.txt", folder);
    GIVES(ELM_OK, elm_file_write(file, ELM_STR("no model"), ERR));
    GIVES(ELM_OK, elm_model_each(folder, add_name, &path, ERR));
    assert_string_equal(path.ptr, "other ");
    unlink(file);
    snprintf(file, sizeof(file), "%s/other.gguf", folder);
    unlink(file);
    rmdir(folder);
    elm_buf_clear(&path);
    GIVES(ELM_OK, elm_model_each(folder, add_name, &path, ERR));
    assert_int_equal(path.len, 0);
    elm_buf_release(&path);
}

/* Lengths around the ends of blocks, against coreutils. */
static void hashes_are_those_of_sha256sum(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 65536, 200001};
    char path[64], command[128], hex[65], wanted[65];
    rig_path(path);
    for (size_t i = 0; i < ELM_COUNT(lengths); i++) {
        struct elm_buf bytes = {0};
        for (size_t k = 0; k < lengths[i]; k++)
            elm_buf_byte(&bytes, (uint8_t)(k * 31 + i));
        GIVES(ELM_OK, elm_file_write(path, elm_buf_str(&bytes), ERR));
        GIVES(ELM_OK, elm_file_sha256(path, hex, ERR));
        snprintf(command, sizeof(command), "sha256sum %s", path);
        FILE *f = popen(command, "r");
        assert_true(f != NULL && fscanf(f, "%64s", wanted) == 1);
        pclose(f);
        assert_string_equal(hex, wanted);
        elm_buf_release(&bytes);
    }
    unlink(path);
}

static void the_folder_follows_the_environment(void **state)
{
    (void)state;
    struct elm_buf out = {0};
    struct elm_error err = {0};
    setenv("HOME", "/home/x", 1);
    unsetenv("XDG_DATA_HOME");
    GIVES(ELM_OK, elm_models_folder(NULL, &out, ERR));
    assert_string_equal(out.ptr, "/home/x/.local/share/elm/models");
    elm_buf_clear(&out);
    setenv("XDG_DATA_HOME", "relative", 1);
    GIVES(ELM_OK, elm_models_folder("", &out, ERR));
    assert_string_equal(out.ptr, "/home/x/.local/share/elm/models");
    elm_buf_clear(&out);
    setenv("XDG_DATA_HOME", "/data", 1);
    GIVES(ELM_OK, elm_models_folder(NULL, &out, ERR));
    assert_string_equal(out.ptr, "/data/elm/models");
    elm_buf_clear(&out);
    GIVES(ELM_OK, elm_models_folder("here", &out, ERR));
    assert_string_equal(out.ptr, "here");
    elm_buf_clear(&out);
    unsetenv("XDG_DATA_HOME");
    unsetenv("HOME");
    assert_int_equal(elm_models_folder(NULL, &out, &err), ELM_NOT_FOUND);
    assert_int_equal(elm_model_find("smollm2", NULL, &out, &err), ELM_NOT_FOUND);
    elm_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_by_name),
        cmocka_unit_test(hashes_are_those_of_sha256sum),
        cmocka_unit_test(the_folder_follows_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
