/* tokenizer: the ids of tests/golden/tokenizer_ids.txt, which llama.cpp gave, and the text back. */
#include "../model_rig.h"
#include "elm/models.h"

#define FIXTURE "tests/golden/tokenizer_ids.txt"

/* The text between the bars of a line: \n, \t, \\ and \xNN stand for bytes. */
static void unescape(struct elm_str line, struct elm_buf *out)
{
    elm_buf_clear(out);
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (c != '\\') {
            elm_buf_byte(out, (uint8_t)c);
            continue;
        }
        c = line.ptr[++i];
        if (c == 'x') {
            char digits[3] = {line.ptr[i + 1], line.ptr[i + 2], 0};
            elm_buf_byte(out, (uint8_t)strtoul(digits, NULL, 16));
            i += 2;
        } else {
            elm_buf_byte(out, c == 'n' ? '\n' : c == 't' ? '\t' : '\\');
        }
    }
}

static void check_line(const struct elm_tokenizer *t, bool special, struct elm_str text,
                       const char *wanted)
{
    struct elm_buf ids = {0}, shown = {0};
    elm_tokenizer_encode(t, text, special, &ids);
    for (size_t i = 0; i < ids.len / sizeof(uint32_t); i++)
        elm_buf_printf(&shown, " %u", ((const uint32_t *)(const void *)ids.ptr)[i]);
    elm_buf_printf(&shown, "\n");
    if (strncmp(shown.ptr, wanted, shown.len) != 0)
        fail_msg("'%.*s':\ngot   %swanted%.*s", (int)text.len, text.ptr, shown.ptr,
                 (int)strcspn(wanted, "\n"), wanted);
    elm_buf_release(&ids);
    elm_buf_release(&shown);
}

/* Checks the lines of one vocabulary; returns how many there were. */
static uint32_t check_vocabulary(const char *vocabulary, const char *path)
{
    struct elm_gguf *g;
    struct elm_tokenizer *t;
    struct elm_buf file = {0}, text = {0};
    uint32_t count = 0;
    GIVES(ELM_OK, elm_gguf_open(path, &g, ERR));
    GIVES(ELM_OK, elm_tokenizer_new(g, &t, ERR));
    elm_gguf_close(g);    /* the tokenizer has copied what it needs */
    GIVES(ELM_OK, elm_file_read(FIXTURE, 1 << 20, &file, ERR));
    size_t name = strlen(vocabulary);
    for (char *line = file.ptr; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, vocabulary, name) != 0 || line[name] != ' ')
            continue;
        char *start = line + name + 4, *end = strchr(line, '\n');
        while (*end != '|')
            end--;
        unescape((struct elm_str){start, (size_t)(end - start)}, &text);
        check_line(t, line[name + 1] == '1', elm_buf_str(&text), end + 1);
        count++;
    }
    elm_tokenizer_free(t);
    elm_buf_release(&file);
    elm_buf_release(&text);
    return count;
}

static void the_small_vocabulary(void **state)
{
    static const char *const pre_tokenizers[] = {"smollm", "gpt-2", "default"};
    (void)state;
    char path[64];
    rig_path(path);
    for (size_t i = 0; i < ELM_COUNT(pre_tokenizers); i++) {
        rig_write(path, pre_tokenizers[i]);
        assert_true(check_vocabulary(pre_tokenizers[i], path) >= 60);
    }
    unlink(path);
}

static void smollm2(void **state)
{
    (void)state;
    struct elm_buf path = {0};
    if (elm_model_find("smollm2", getenv("ELM_MODELS_PATH"), &path, NULL) != ELM_OK) {
        elm_buf_release(&path);
        printf("skip: elm models pull smollm2\n");
        skip();
    }
    assert_true(check_vocabulary("smollm2", path.ptr) >= 60);
    elm_buf_release(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_small_vocabulary),
        cmocka_unit_test(smollm2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
