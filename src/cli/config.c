/*
 * config: a YAML file of option names and values. The schema is the option table, so that YAML's
 * guesses about types (`no`, `1e3`) never matter: every scalar is text until its option reads it.
 */
#include "cli/options.h"

#include <string.h>
#include <yaml.h>

#define CONFIG_BYTES_MAX (1 << 20)

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *path;
    struct invocation *v;
    struct elm_error *err;
};

static enum elm_status fail_at(struct reader *r, yaml_mark_t mark, const char *message)
{
    return elm_fail(r->err, ELM_USAGE, "%s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1,
                    message);
}

static enum elm_status next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event)) {
        /* "\0" in quotes is YAML: what stands behind it would be lost */
        if (r->event.type == YAML_SCALAR_EVENT &&
            memchr(r->event.data.scalar.value, 0, r->event.data.scalar.length) != NULL)
            return fail_at(r, r->event.start_mark, "a zero byte");
        return ELM_OK;
    }
    memset(&r->event, 0, sizeof(r->event));
    return fail_at(r, r->parser.problem_mark, r->parser.problem == NULL ? "not YAML"
                                                                        : r->parser.problem);
}

static enum elm_status read_sequence(struct reader *r, const char *between, struct elm_buf *out)
{
    for (;;) {
        ELM_TRY(next(r));
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return ELM_OK;
        if (r->event.type != YAML_SCALAR_EVENT)
            return fail_at(r, r->event.start_mark, "a list of words is wanted here");
        elm_buf_printf(out, "%s%s", out->len > 0 ? between : "",
                       (const char *)r->event.data.scalar.value);
    }
}

static enum elm_status read_value(struct reader *r, enum option_id id, const char *where)
{
    ELM_TRY(next(r));
    struct elm_buf text = {0};
    enum elm_status status = ELM_OK;
    if (r->event.type == YAML_SCALAR_EVENT)
        elm_buf_printf(&text, "%s", (const char *)r->event.data.scalar.value);
    else if (r->event.type == YAML_SEQUENCE_START_EVENT && option_table[id].type == OPTION_WORDS)
        status = read_sequence(r, ",", &text);
    else if (r->event.type == YAML_SEQUENCE_START_EVENT && option_table[id].type == OPTION_LIST)
        status = read_sequence(r, "\n", &text);
    else
        status = fail_at(r, r->event.start_mark, "a single value is wanted here");
    if (status == ELM_OK) {
        status = option_assign(r->v, id, text.ptr == NULL ? "" : text.ptr, FROM_FILE, where,
                               r->err);
    }
    elm_buf_release(&text);
    return status;
}

static enum elm_status read_pair(struct reader *r, bool *seen)
{
    yaml_mark_t mark = r->event.start_mark;
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail_at(r, mark, "an option's name is wanted here");
    char key[80], where[320];
    snprintf(key, sizeof(key), "%s", (const char *)r->event.data.scalar.value);
    snprintf(where, sizeof(where), "%.200s:%zu:%zu", r->path, mark.line + 1, mark.column + 1);
    enum option_id id;
    ELM_TRY(option_find_key(key, where, &id, r->err));
    if (seen[id])
        return fail_at(r, mark, "this key stands here twice");
    seen[id] = true;
    snprintf(where, sizeof(where), "%.200s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1,
             option_table[id].name);
    return read_value(r, id, where);
}

static enum elm_status read_document(struct reader *r)
{
    bool seen[OPTIONS] = {0};
    ELM_TRY(next(r));                                   /* stream start */
    ELM_TRY(next(r));
    if (r->event.type == YAML_STREAM_END_EVENT)
        return ELM_OK;
    ELM_TRY(next(r));
    bool empty = r->event.type == YAML_SCALAR_EVENT && r->event.data.scalar.length == 0;
    if (r->event.type != YAML_MAPPING_START_EVENT && !empty)
        return fail_at(r, r->event.start_mark, "lines of `option: value` are wanted here");
    while (!empty) {
        ELM_TRY(next(r));
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        ELM_TRY(read_pair(r, seen));
    }
    ELM_TRY(next(r));                                   /* document end */
    ELM_TRY(next(r));
    if (r->event.type != YAML_STREAM_END_EVENT)
        return fail_at(r, r->event.start_mark, "a second document; only one is read");
    return ELM_OK;
}

enum elm_status config_read(struct invocation *v, const char *path, struct elm_error *err)
{
    struct elm_buf text = {0};
    struct reader r = {.path = path, .v = v, .err = err};
    enum elm_status status = elm_file_read(path, CONFIG_BYTES_MAX, &text, err);
    if (status == ELM_OK) {
        yaml_parser_initialize(&r.parser);
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
        status = read_document(&r);
        yaml_event_delete(&r.event);
        yaml_parser_delete(&r.parser);
    }
    elm_buf_release(&text);
    /* a file that can't be read is the caller's mistake too */
    if (status != ELM_OK)
        err->status = ELM_USAGE;
    return status;
}
