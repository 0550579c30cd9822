/* fields: a YAML map into a struct by a table; what is wrong is said with its place and remedy. */
#include "problem/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the nearest word ---- */

/* Edits between two words, a swap of neighbours counting once; both shorter than 64. */
static uint32_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    uint32_t rows[3][64];
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (uint32_t)j;
    for (size_t i = 1; i <= n; i++) {
        uint32_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= m; j++) {
            uint32_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[n % 3][m];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t len = strlen(candidate), asked = strlen(n->word);
    if (len >= sizeof(n->best) || asked >= sizeof(n->best))
        return;
    uint32_t d = distance(n->word, candidate);
    if (d > asked / 3 + 1 || d >= len || (n->best[0] != '\0' && d >= n->distance))
        return;
    memcpy(n->best, candidate, len + 1);
    n->distance = d;
}

bool nearest_found(const struct nearest *n)
{
    return n->best[0] != '\0';
}

/* ---- values ---- */

struct value {
    const struct yaml_file *file;
    const struct yaml_node *node;
    const struct field *field;
    void *at;
    struct elm_error *err;
};

static enum elm_status refuse_number(const struct value *v, const char *kind)
{
    return yaml_fail(v->file, v->node, v->err, "%s from %.10g to %.10g is allowed, not '%.40s'",
                     kind, v->field->lo, v->field->hi, v->node->text);
}

static enum elm_status read_whole(const struct value *v, uint64_t *out)
{
    const char *text = v->node->text;
    char *end;
    errno = 0;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned long long value = strtoull(text, &end, hex ? 16 : 10);
    bool digits = text[0] >= '0' && text[0] <= '9';
    if (!digits || *end != '\0' || errno != 0 || (double)value < v->field->lo ||
        (double)value > v->field->hi)
        return refuse_number(v, "a whole number");
    *out = value;
    return ELM_OK;
}

static enum elm_status read_real(const struct value *v)
{
    char *end;
    double value = strtod(v->node->text, &end);
    if (end == v->node->text || *end != '\0' || !isfinite(value) || value < v->field->lo ||
        value > v->field->hi)
        return refuse_number(v, "a number");
    *(double *)v->at = value;
    return ELM_OK;
}

static enum elm_status read_bool(const struct value *v)
{
    const char *text = v->node->text;
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return yaml_fail(v->file, v->node, v->err, "true or false is allowed, not '%.40s'", text);
    *(bool *)v->at = yes;
    return ELM_OK;
}

static enum elm_status read_text(const struct value *v)
{
    const char *text = v->node->text;
    size_t len = strlen(text), most = (size_t)v->field->hi;
    if (len == 0 || len > most)
        return yaml_fail(v->file, v->node, v->err, "1 to %zu bytes are allowed, not %zu", most,
                         len);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return yaml_fail(v->file, v->node, v->err, "one line of text is allowed");
    }
    if (v->field->type == FIELD_FILE && (strchr(text, '/') != NULL || text[0] == '.')) {
        return yaml_fail(v->file, v->node, v->err,
                         "the name of a file in the problem's folder is allowed, not '%.40s'",
                         text);
    }
    if (v->field->type == FIELD_WORD) {
        memcpy(v->at, text, len + 1);
        return ELM_OK;
    }
    char **slot = v->at;
    free(*slot);
    *slot = elm_strdup(text);
    return ELM_OK;
}

static enum elm_status read_choice(const struct value *v)
{
    struct elm_buf list = {0};
    for (uint32_t i = 0; v->field->choices[i] != NULL; i++) {
        if (strcmp(v->field->choices[i], v->node->text) == 0) {
            *(uint32_t *)v->at = i;
            elm_buf_release(&list);
            return ELM_OK;
        }
        elm_buf_printf(&list, "%s%s", i > 0 ? ", " : "", v->field->choices[i]);
    }
    enum elm_status status = yaml_fail(v->file, v->node, v->err,
                                       "one of %.200s is allowed, not '%.40s'", list.ptr,
                                       v->node->text);
    elm_buf_release(&list);
    return status;
}

static enum elm_status read_value(const struct value *v)
{
    uint64_t whole = 0;
    switch (v->field->type) {
    case FIELD_TEXT: case FIELD_FILE: case FIELD_WORD:
        return read_text(v);
    case FIELD_REAL:
        return read_real(v);
    case FIELD_U32:
        ELM_TRY(read_whole(v, &whole));
        *(uint32_t *)v->at = (uint32_t)whole;
        return ELM_OK;
    case FIELD_U64:
        return read_whole(v, v->at);
    case FIELD_BOOL:
        return read_bool(v);
    case FIELD_CHOICE:
        return read_choice(v);
    default:
        return ELM_OK;
    }
}

static enum elm_status unknown_key(const struct yaml_file *f, const struct yaml_node *n,
                                   const struct field *fields, size_t count,
                                   struct elm_error *err)
{
    struct nearest near = {.word = n->key};
    struct elm_buf list = {0};
    for (size_t i = 0; i < count; i++) {
        nearest_offer(&near, fields[i].key);
        elm_buf_printf(&list, "%s%s", i > 0 ? ", " : "", fields[i].key);
    }
    enum elm_status status;
    if (nearest_found(&near))
        status = yaml_fail(f, n, err, "unknown; did you mean '%s'?", near.best);
    else
        status = yaml_fail(f, n, err, "unknown; allowed are %.300s", list.ptr);
    elm_buf_release(&list);
    return status;
}

enum elm_status fields_read(const struct yaml_file *f, const struct yaml_node *map,
                            const struct field *fields, size_t count, void *into,
                            struct elm_error *err)
{
    static const char *const kinds[] = {"a single value", "a list", "a map of keys"};
    if (map->kind != YAML_MAP)
        return yaml_fail(f, map, err, "a map of keys is allowed here");
    for (const struct yaml_node *n = map->first; n != NULL; n = n->next) {
        size_t i = 0;
        while (i < count && strcmp(fields[i].key, n->key) != 0)
            i++;
        if (i == count)
            return unknown_key(f, n, fields, count, err);
        enum yaml_kind wanted = fields[i].type == FIELD_MAP    ? YAML_MAP
                                : fields[i].type == FIELD_LIST ? YAML_LIST
                                                               : YAML_SCALAR;
        if (n->kind != wanted)
            return yaml_fail(f, n, err, "%s is allowed here", kinds[wanted]);
        struct value v = {f, n, &fields[i], (char *)into + fields[i].offset, err};
        ELM_TRY(read_value(&v));
    }
    return ELM_OK;
}
