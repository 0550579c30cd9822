/* yaml: libyaml's events into a tree, within limits that no honest problem.yaml comes near. */
#include "problem/yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "problem/folder.h"

#define BYTES_MAX (64 * 1024)
#define DEPTH_MAX 8
#define NODES_MAX 4096

struct builder {
    struct yaml_file *file;
    yaml_parser_t parser;
    struct yaml_node *open[DEPTH_MAX];
    struct yaml_node *last[DEPTH_MAX];     /* newest kid of each open node */
    struct yaml_node *key;                 /* waits for its value */
    uint32_t depth, nodes;
    struct elm_error *err;
};

static enum elm_status fail_at(const struct builder *b, yaml_mark_t mark, const char *what)
{
    return elm_fail(b->err, ELM_PARSE, "%s:%zu:%zu: %s", b->file->path, mark.line + 1,
                    mark.column + 1, what);
}

enum elm_status yaml_fail(const struct yaml_file *f, const struct yaml_node *at,
                          struct elm_error *err, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *c = text; *c != '\0'; c++) {
        /* what a terminal would act on */
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    }
    if (at->key == NULL)
        return elm_fail(err, ELM_PARSE, "%s:%u:%u: %s", f->path, at->line, at->column, text);
    return elm_fail(err, ELM_PARSE, "%s:%u:%u: key '%.40s': %s", f->path, at->line, at->column,
                    at->key, text);
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind, yaml_mark_t mark)
{
    struct yaml_node *n = elm_arena_alloc(&b->file->arena, sizeof(*n));
    *n = (struct yaml_node){.kind = kind, .text = "", .line = (uint32_t)mark.line + 1,
                            .column = (uint32_t)mark.column + 1};
    return n;
}

/* Puts a finished or just opened value where it belongs. */
static void attach(struct builder *b, struct yaml_node *n)
{
    if (b->key != NULL) {
        n->key = b->key->text;
        n->line = b->key->line;
        n->column = b->key->column;
        b->key = NULL;
    }
    if (b->depth == 0) {
        b->file->root = n;
        return;
    }
    struct yaml_node **last = &b->last[b->depth - 1];
    if (*last == NULL)
        b->open[b->depth - 1]->first = n;
    else
        (*last)->next = n;
    *last = n;
}

static bool wants_key(const struct builder *b)
{
    return b->depth > 0 && b->open[b->depth - 1]->kind == YAML_MAP && b->key == NULL;
}

static enum elm_status scalar(struct builder *b, const yaml_event_t *e)
{
    size_t len = e->data.scalar.length;
    if (e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL)
        return fail_at(b, e->start_mark, "anchors and tags are not allowed");
    if (memchr(e->data.scalar.value, 0, len) != NULL)
        return fail_at(b, e->start_mark, "a zero byte is not allowed");
    struct yaml_node *n = new_node(b, YAML_SCALAR, e->start_mark);
    char *text = elm_arena_alloc(&b->file->arena, len + 1);
    memcpy(text, e->data.scalar.value, len + 1);
    n->text = text;
    if (!wants_key(b)) {
        attach(b, n);
        return ELM_OK;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 127)
            return fail_at(b, e->start_mark, "a key must be a word");
    }
    if (yaml_get(b->open[b->depth - 1], text) != NULL) {
        n->key = text;
        return yaml_fail(b->file, n, b->err, "given twice");
    }
    b->key = n;
    return ELM_OK;
}

static enum elm_status open_node(struct builder *b, enum yaml_kind kind, const yaml_event_t *e,
                                 bool decorated)
{
    if (decorated)
        return fail_at(b, e->start_mark, "anchors and tags are not allowed");
    if (wants_key(b))
        return fail_at(b, e->start_mark, "a key must be a word");
    if (b->depth == DEPTH_MAX)
        return fail_at(b, e->start_mark, "nested too deep");
    struct yaml_node *n = new_node(b, kind, e->start_mark);
    attach(b, n);
    b->open[b->depth] = n;
    b->last[b->depth++] = NULL;
    return ELM_OK;
}

static enum elm_status event(struct builder *b, const yaml_event_t *e)
{
    if (++b->nodes > NODES_MAX)
        return fail_at(b, e->start_mark, "too many values");
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        return b->file->root == NULL
                   ? ELM_OK
                   : fail_at(b, e->start_mark, "a second document is not allowed");
    case YAML_ALIAS_EVENT:
        return fail_at(b, e->start_mark, "aliases are not allowed");
    case YAML_SCALAR_EVENT:
        return scalar(b, e);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(b, YAML_LIST, e, e->data.sequence_start.anchor != NULL ||
                                              e->data.sequence_start.tag != NULL);
    case YAML_MAPPING_START_EVENT:
        return open_node(b, YAML_MAP, e, e->data.mapping_start.anchor != NULL ||
                                             e->data.mapping_start.tag != NULL);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return ELM_OK;
    default:
        return ELM_OK;
    }
}

static enum elm_status build(struct builder *b)
{
    bool more = true;
    while (more) {
        yaml_event_t e;
        if (!yaml_parser_parse(&b->parser, &e)) {
            yaml_mark_t at = b->parser.problem_mark;
            const char *what = b->parser.problem;
            return fail_at(b, at, what != NULL ? what : "this is not YAML");
        }
        more = e.type != YAML_STREAM_END_EVENT;
        enum elm_status status = event(b, &e);
        yaml_event_delete(&e);
        ELM_TRY(status);
    }
    if (b->file->root == NULL || b->file->root->kind != YAML_MAP)
        return elm_fail(b->err, ELM_PARSE, "%s:1:1: `key: value` lines are allowed, nothing else",
                        b->file->path);
    return ELM_OK;
}

enum elm_status yaml_open(const char *path, struct yaml_file *out, struct elm_error *err)
{
    struct elm_buf text = {0};
    enum elm_status status = folder_read(path, BYTES_MAX, &text, err);
    if (status != ELM_OK) {
        elm_buf_release(&text);
        return status;
    }
    *out = (struct yaml_file){.path = path};
    struct builder b = {.file = out, .err = err};
    bool ready = yaml_parser_initialize(&b.parser) != 0;
    ELM_ASSERT(ready);
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text.ptr, text.len);
    status = build(&b);
    yaml_parser_delete(&b.parser);
    elm_buf_release(&text);
    if (status != ELM_OK)
        yaml_close(out);
    return status;
}

void yaml_close(struct yaml_file *f)
{
    elm_arena_release(&f->arena);
    f->root = NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    for (const struct yaml_node *n = map->first; n != NULL; n = n->next) {
        if (n->key != NULL && strcmp(n->key, key) == 0)
            return n;
    }
    return NULL;
}
