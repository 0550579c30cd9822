/* dataset: items and answers, and JSONL both ways. */
#include "learn/dataset.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct elm_str keep(struct elm_dataset *d, struct elm_str s)
{
    char *copy = elm_arena_alloc(&d->arena, s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    return (struct elm_str){copy, s.len};
}

/* Room for one more: doubled at powers of two. */
static void *grow(void *array, uint32_t count, size_t bytes)
{
    if ((count & (count - 1)) == 0)
        array = elm_realloc(array, (count == 0 ? 1 : 2 * (size_t)count) * bytes);
    return array;
}

void dataset_item(struct elm_dataset *d, struct elm_str prompt)
{
    d->items = grow(d->items, d->item_count, sizeof(*d->items));
    d->items[d->item_count++] = (struct elm_data_item){.prompt = keep(d, prompt),
                                                       .first = d->answer_count};
}

void dataset_answer(struct elm_dataset *d, struct elm_str text, double reward)
{
    d->answers = grow(d->answers, d->answer_count, sizeof(*d->answers));
    d->answers[d->answer_count++] = (struct elm_data_answer){keep(d, text), reward};
    d->items[d->item_count - 1].count++;
}

void elm_dataset_release(struct elm_dataset *d)
{
    free(d->items);
    free(d->answers);
    elm_arena_release(&d->arena);
    memset(d, 0, sizeof(*d));
}

const char *dataset_form(enum elm_data_kind kind)
{
    static const char *const forms[] = {
        "{\"prompt\", \"completion\"} or {\"text\"}", "{\"prompt\", \"chosen\", \"rejected\"}",
        "{\"prompt\", \"completion\", \"label\": true or false}",
        "{\"prompt\", \"answers\": [...], \"rewards\": [...]}",
    };
    return forms[kind];
}

/* ---- lines in ---- */

static bool text_of(const json_t *object, const char *key, struct elm_str *out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return false;
    *out = (struct elm_str){json_string_value(value), json_string_length(value)};
    return true;
}

static bool add_group(struct elm_dataset *d, const json_t *line, struct elm_str prompt)
{
    const json_t *texts = json_object_get(line, "answers");
    const json_t *rewards = json_object_get(line, "rewards");
    const size_t count = json_array_size(texts);
    if (count == 0 || json_array_size(rewards) != count)
        return false;
    dataset_item(d, prompt);
    for (size_t i = 0; i < count; i++) {
        const json_t *text = json_array_get(texts, i), *reward = json_array_get(rewards, i);
        if (!json_is_string(text) || !json_is_number(reward))
            return false;
        dataset_answer(d, (struct elm_str){json_string_value(text), json_string_length(text)},
                       json_number_value(reward));
    }
    return true;
}

/* False: not of this form. */
static bool add_line(struct elm_dataset *d, enum elm_data_kind kind, const json_t *line)
{
    struct elm_str prompt = {0}, a, b;
    if (kind == ELM_DATA_EXAMPLES && text_of(line, "text", &a)) {
        dataset_item(d, prompt);
        dataset_answer(d, a, 1);
        return true;
    }
    if (!text_of(line, "prompt", &prompt))
        return false;
    if (kind == ELM_DATA_GROUPS)
        return add_group(d, line, prompt);
    const bool pair = kind == ELM_DATA_PAIRS;
    const json_t *label = json_object_get(line, "label");
    if (!text_of(line, pair ? "chosen" : "completion", &a) ||
        (pair && !text_of(line, "rejected", &b)) ||
        (kind == ELM_DATA_LABELS && !json_is_boolean(label)))
        return false;
    dataset_item(d, prompt);
    dataset_answer(d, a, kind == ELM_DATA_LABELS ? json_is_true(label) : 1);
    if (pair)
        dataset_answer(d, b, 0);
    return true;
}

static enum elm_status read_lines(struct elm_dataset *d, enum elm_data_kind kind, const char *path,
                                  FILE *f, struct elm_error *err)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    uint64_t number = 0;
    enum elm_status status = ELM_OK;
    while (status == ELM_OK && (len = getline(&line, &room, f)) >= 0) {
        json_error_t why;
        number++;
        if (strspn(line, " \t\r\n") == (size_t)len)
            continue;
        json_t *object = json_loadb(line, (size_t)len, JSON_ALLOW_NUL, &why);
        if (object == NULL)
            status = elm_fail(err, ELM_PARSE, "%s:%llu: %s", path, (unsigned long long)number,
                              why.text);
        else if (d->answer_count > INT32_MAX / 2)
            status = elm_fail(err, ELM_RANGE, "%s:%llu: too many answers", path,
                              (unsigned long long)number);
        else if (!add_line(d, kind, object))
            status = elm_fail(err, ELM_PARSE, "%s:%llu: not of the form %s", path,
                              (unsigned long long)number, dataset_form(kind));
        json_decref(object);
    }
    if (status == ELM_OK && ferror(f))
        status = elm_fail(err, ELM_IO, "cannot read '%s': %s", path, strerror(errno));
    free(line);
    return status;
}

enum elm_status dataset_add_file(struct elm_dataset *d, enum elm_data_kind kind, const char *path,
                                 struct elm_error *err)
{
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return elm_fail(err, errno == ENOENT ? ELM_NOT_FOUND : ELM_IO, "cannot open '%s': %s", path,
                        strerror(errno));
    enum elm_status status = read_lines(d, kind, path, f, err);
    fclose(f);
    return status;
}

enum elm_status elm_dataset_add(struct elm_dataset *d, enum elm_data_kind kind, const char *path,
                                struct elm_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return dataset_add_run(d, kind, path, err);
    return dataset_add_file(d, kind, path, err);
}

/* ---- lines out ---- */

/* Bytes of the UTF-8 character that a text begins with, 0: none. */
static size_t character(struct elm_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    const size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    uint32_t point = p[0] & (len == 1 ? 0x7fu : 0x7fu >> len);
    if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (p[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool surrogate = point >= 0xd800 && point < 0xe000;
    return point < least[len] || point > 0x10ffff || surrogate ? 0 : len;
}

static json_t *text_json(struct elm_str s)
{
    struct elm_buf clean = {0};
    for (size_t at = 0; at < s.len;) {
        size_t len = character((struct elm_str){s.ptr + at, s.len - at});
        if (len > 0)
            elm_buf_add(&clean, s.ptr + at, len);
        else
            elm_buf_add_str(&clean, ELM_STR("\xef\xbf\xbd"));
        at += len > 0 ? len : 1;
    }
    json_t *text = json_stringn(clean.len > 0 ? clean.ptr : "", clean.len);
    elm_buf_release(&clean);
    return text;
}

void elm_dataset_line(const struct elm_dataset *d, enum elm_data_kind kind, uint32_t item,
                      struct elm_buf *out)
{
    const struct elm_data_item *it = &d->items[item];
    const struct elm_data_answer *a = &d->answers[it->first];
    json_t *line = json_object();
    json_object_set_new(line, "prompt", text_json(it->prompt));
    if (kind == ELM_DATA_GROUPS) {
        json_t *texts = json_array(), *rewards = json_array();
        for (uint32_t i = 0; i < it->count; i++) {
            json_array_append_new(texts, text_json(a[i].text));
            json_array_append_new(rewards, json_real(a[i].reward));
        }
        json_object_set_new(line, "answers", texts);
        json_object_set_new(line, "rewards", rewards);
    } else {
        json_object_set_new(line, kind == ELM_DATA_PAIRS ? "chosen" : "completion",
                            text_json(a[0].text));
    }
    if (kind == ELM_DATA_PAIRS)
        json_object_set_new(line, "rejected", text_json(a[1].text));
    if (kind == ELM_DATA_LABELS)
        json_object_set_new(line, "label", json_boolean(a[0].reward > 0));
    char *text = json_dumps(line, JSON_COMPACT);
    elm_buf_add(out, text, strlen(text));
    elm_buf_byte(out, '\n');
    free(text);
    json_decref(line);
}
