/*
 * yaml: a YAML text as a tree that knows its places, and typed reading of its maps. Private to
 * src/problem. Anchors, aliases, tags and several documents are refused, so a tree is never
 * larger than its text.
 */
#ifndef ELM_PROBLEM_YAML_H
#define ELM_PROBLEM_YAML_H

#include "elm/base.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    const char *text;              /* of a scalar; "" for others */
    const char *key;               /* within a map; NULL elsewhere */
    uint32_t line, column;         /* from 1; of the key within a map */
    struct yaml_node *first, *next;
};
struct yaml_file {
    const char *path;              /* for messages; borrowed */
    struct yaml_node *root;
    struct elm_arena arena;
};

/* The path must outlive the file. Fails: ELM_PARSE, ELM_RANGE, ELM_NOT_FOUND, ELM_IO. */
enum elm_status yaml_open(const char *path, struct yaml_file *out, struct elm_error *err);
void yaml_close(struct yaml_file *f);

/* NULL if there is none. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* "path:line:column: key 'x': ", then the text. Returns ELM_PARSE. */
enum elm_status yaml_fail(const struct yaml_file *f, const struct yaml_node *at,
                          struct elm_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

enum field_type {
    FIELD_TEXT,        /* char *: malloc'ed; the old value is freed */
    FIELD_FILE,        /* as FIELD_TEXT; the plain name of a file in the problem's folder */
    FIELD_WORD,        /* char[32] */
    FIELD_REAL,        /* double */
    FIELD_U32,
    FIELD_U64,
    FIELD_BOOL,
    FIELD_CHOICE,      /* uint32_t: index into choices */
    FIELD_MAP,         /* for the caller to read: only its kind is checked */
    FIELD_LIST,
};
struct field {
    const char *key;
    enum field_type type;
    size_t offset;                 /* into the struct that is filled */
    double lo, hi;                 /* numbers; a text's greatest length is hi */
    const char *const *choices;    /* NULL-terminated */
};
/* Fills `into` from the keys that `map` has; others keep their value. Keys not in the table are
 * refused with the nearest that is. */
enum elm_status fields_read(const struct yaml_file *f, const struct yaml_node *map,
                            const struct field *fields, size_t count, void *into,
                            struct elm_error *err);

/* The candidate nearest to a word, NULL when none is near enough to be meant. */
struct nearest {
    const char *word;
    char best[64];
    uint32_t distance;
};
void nearest_offer(struct nearest *n, const char *candidate);
bool nearest_found(const struct nearest *n);

#endif
