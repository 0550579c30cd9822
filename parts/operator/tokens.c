/*
 * tokens: changes one token or line of a program that is no core C tree: a number, an operator, a
 * name, a line left out, said twice, moved, or taken from another parent. Knows no grammar, so it
 * works on any language of words, numbers and lines; what does not build is a stored failure.
 *
 * Only between the EVOLVE-BLOCK markers where there are any; never in strings, comments and lines
 * that begin with #.
 */
#include "elm/operator.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS_MAX 8192
#define TRIES 16
#define CHANGE_BYTES_MAX 400       /* of a line that is copied */

enum token_kind { TOKEN_NUMBER, TOKEN_WORD, TOKEN_OPERATOR };

struct token {
    uint32_t at, len;
    uint8_t kind;                  /* enum token_kind */
};

struct text {
    struct elm_str bytes;
    uint32_t first, end;           /* what may change */
    struct token *tokens;
    uint32_t count;
};

/* What is said instead: any other member of the first row that holds the operator. */
static const char *const families[][8] = {
    {"<", "<=", ">", ">=", "==", "!="},
    {"+", "-", "*", "/", "%"},
    {"&&", "||"},
    {"&", "|", "^", "<<", ">>"},
    {"++", "--"},
    {"=", "+=", "-=", "*=", "/="},
};

static const char *const reserved[] = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
    "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
    "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
    "unsigned", "void", "volatile", "while", "def", "lambda", "import", "from", "in", "not",
    "and", "or", "is", "None", "True", "False", "class", "pass", "elif", "fn", "let", "mut",
};

static bool is_word(int c)
{
    return isalnum(c) || c == '_';
}

static bool is_reserved(const char *word, uint32_t len)
{
    for (size_t i = 0; i < ELM_COUNT(reserved); i++) {
        if (strlen(reserved[i]) == len && memcmp(reserved[i], word, len) == 0)
            return true;
    }
    return false;
}

/* The line after the one that holds `marker`, or none. */
static const char *after_marker(struct elm_str text, const char *marker, bool whole)
{
    const char *found = memmem(text.ptr, text.len, marker, strlen(marker));
    if (found == NULL)
        return NULL;
    const char *end = text.ptr + text.len;
    if (whole) {
        const char *line = memchr(found, '\n', (size_t)(end - found));
        return line == NULL ? end : line + 1;
    }
    while (found > text.ptr && found[-1] != '\n')
        found--;
    return found;
}

static void find_block(struct text *t)
{
    t->first = 0;
    t->end = (uint32_t)t->bytes.len;
    const char *start = after_marker(t->bytes, "EVOLVE-BLOCK-START", true);
    if (start == NULL)
        return;
    t->first = (uint32_t)(start - t->bytes.ptr);
    struct elm_str rest = {start, t->bytes.len - t->first};
    const char *end = after_marker(rest, "EVOLVE-BLOCK-END", false);
    if (end != NULL)
        t->end = (uint32_t)(end - t->bytes.ptr);
}

/* Bytes of a string, character, comment or # line that begins at i; 0 if none does. */
static uint32_t skipped(const struct text *t, uint32_t i, bool line_start)
{
    const char *p = t->bytes.ptr;
    uint32_t n = t->end, from = i;
    if (p[i] == '"' || p[i] == '\'') {
        char quote = p[i++];
        while (i < n && p[i] != quote && p[i] != '\n')
            i += p[i] == '\\' ? 2 : 1;
        return (i < n ? i + 1 : n) - from;
    }
    bool block = i + 1 < n && p[i] == '/' && p[i + 1] == '*';
    if (!block && !(i + 1 < n && p[i] == '/' && p[i + 1] == '/') && !(line_start && p[i] == '#'))
        return 0;
    while (i < n && (block ? i - from < 3 || p[i] != '/' || p[i - 1] != '*' : p[i] != '\n'))
        i++;
    return (i < n ? i + 1 : n) - from;
}

static struct token scan(const struct text *t, uint32_t i)
{
    const char *p = t->bytes.ptr;
    struct token k = {.at = i, .len = 1, .kind = TOKEN_OPERATOR};
    if (isdigit((unsigned char)p[i]) ||
        (p[i] == '.' && i + 1 < t->end && isdigit((unsigned char)p[i + 1]))) {
        k.kind = TOKEN_NUMBER;
        while (i + k.len < t->end &&
               (is_word((unsigned char)p[i + k.len]) || p[i + k.len] == '.' ||
                (strchr("+-", p[i + k.len]) != NULL && strchr("eE", p[i + k.len - 1]) != NULL)))
            k.len++;
    } else if (is_word((unsigned char)p[i])) {
        k.kind = TOKEN_WORD;
        while (i + k.len < t->end && is_word((unsigned char)p[i + k.len]))
            k.len++;
    } else {
        while (i + k.len < t->end && k.len < 3 && strchr("<>=!&|+-", p[i]) != NULL &&
               strchr("<>=&|+-", p[i + k.len]) != NULL)
            k.len++;
    }
    return k;
}

static void tokenise(struct text *t, struct elm_arena *arena)
{
    find_block(t);
    t->tokens = elm_arena_alloc(arena, TOKENS_MAX * sizeof(t->tokens[0]));
    bool line_start = true;
    for (uint32_t i = t->first; i < t->end && t->count < TOKENS_MAX;) {
        char c = t->bytes.ptr[i];
        uint32_t skip = skipped(t, i, line_start);
        if (isspace((unsigned char)c) || skip > 0) {
            line_start = c == '\n' || (line_start && skip == 0) ||
                         (skip > 0 && t->bytes.ptr[i + skip - 1] == '\n');
            i += skip > 0 ? skip : 1;
            continue;
        }
        line_start = false;
        t->tokens[t->count] = scan(t, i);
        i += t->tokens[t->count++].len;
    }
}

/* The text with bytes at .. at+len replaced. */
static bool put(const struct text *t, uint32_t at, uint32_t len, struct elm_str with,
                struct elm_buf *out)
{
    elm_buf_add(out, t->bytes.ptr, at);
    elm_buf_add_str(out, with);
    elm_buf_add(out, t->bytes.ptr + at + len, t->bytes.len - at - len);
    return true;
}

static const struct token *draw(const struct text *t, struct elm_rng *rng, uint8_t kind)
{
    for (int i = 0; i < 64 && t->count > 0; i++) {
        const struct token *k = &t->tokens[elm_rng_below(rng, t->count)];
        if (k->kind == kind &&
            (kind != TOKEN_WORD || !is_reserved(t->bytes.ptr + k->at, k->len)))
            return k;
    }
    return NULL;
}

static bool change_number(const struct text *t, struct elm_rng *rng, struct elm_buf *out)
{
    const struct token *k = draw(t, rng, TOKEN_NUMBER);
    char old[64], fresh[64], *rest;
    if (k == NULL || k->len >= sizeof(old))
        return false;
    snprintf(old, sizeof(old), "%.*s", (int)k->len, t->bytes.ptr + k->at);
    if (strpbrk(old, ".eE") == NULL || strncmp(old, "0x", 2) == 0) {
        long long v = strtoll(old, &rest, 0);
        uint32_t how = elm_rng_below(rng, 5);
        v = how == 0 ? v + 1 : how == 1 ? v - 1 : how == 2 ? v * 2 : how == 3 ? v / 2 :
            elm_rng_range(rng, -2, 16);
        snprintf(fresh, sizeof(fresh), "%lld%s", v, rest);
    } else {
        double v = strtod(old, &rest);
        v = elm_rng_chance(rng, 0.1) ? elm_rng_normal(rng) : v * exp(0.3 * elm_rng_normal(rng));
        snprintf(fresh, sizeof(fresh), "%.9g", v);
        /* an integer's spelling would be of another type */
        size_t len = strlen(fresh);
        snprintf(fresh + len, sizeof(fresh) - len, "%s%s",
                 strpbrk(fresh, ".einf") == NULL ? ".0" : "", rest);
    }
    return put(t, k->at, k->len, elm_str(fresh), out);
}

static bool change_operator(const struct text *t, struct elm_rng *rng, struct elm_buf *out)
{
    for (int i = 0; i < 32; i++) {
        const struct token *k = draw(t, rng, TOKEN_OPERATOR);
        if (k == NULL)
            return false;
        struct elm_str old = {t->bytes.ptr + k->at, k->len};
        for (size_t f = 0; f < ELM_COUNT(families); f++) {
            uint32_t members = 0;
            bool found = false;
            for (; families[f][members] != NULL; members++)
                found = found || elm_str_equal(old, elm_str(families[f][members]));
            if (!found)
                continue;
            const char *fresh = families[f][elm_rng_below(rng, members)];
            return !elm_str_equal(old, elm_str(fresh)) &&
                   put(t, k->at, k->len, elm_str(fresh), out);
        }
    }
    return false;
}

static bool change_word(const struct text *t, struct elm_rng *rng, struct elm_buf *out)
{
    const struct token *k = draw(t, rng, TOKEN_WORD), *with = draw(t, rng, TOKEN_WORD);
    return k != NULL && with != NULL &&
           put(t, k->at, k->len, (struct elm_str){t->bytes.ptr + with->at, with->len}, out);
}

/* A whole line with its newline, within what may change. */
static struct elm_str draw_line(const struct text *t, struct elm_rng *rng, uint32_t *at)
{
    if (t->count == 0)
        return (struct elm_str){0};
    uint32_t from = t->tokens[elm_rng_below(rng, t->count)].at, end = from;
    while (from > t->first && t->bytes.ptr[from - 1] != '\n')
        from--;
    while (end < t->end && t->bytes.ptr[end] != '\n')
        end++;
    end += end < t->end;
    *at = from;
    return (struct elm_str){t->bytes.ptr + from, end - from};
}

static bool delete_line(const struct text *t, struct elm_rng *rng, struct elm_buf *out)
{
    uint32_t at;
    struct elm_str line = draw_line(t, rng, &at);
    return line.len > 0 && put(t, at, (uint32_t)line.len, (struct elm_str){0}, out);
}

/* A line of `from` before a line of t. */
static bool copy_line(const struct text *t, const struct text *from, struct elm_rng *rng,
                      struct elm_buf *out)
{
    uint32_t at, there;
    struct elm_str line = draw_line(from, rng, &there);
    if (line.len == 0 || line.len > CHANGE_BYTES_MAX || draw_line(t, rng, &at).len == 0)
        return false;
    return put(t, at, 0, line, out);
}

static bool swap_lines(const struct text *t, struct elm_rng *rng, struct elm_buf *out)
{
    uint32_t a_at, b_at;
    struct elm_str a = draw_line(t, rng, &a_at), b = draw_line(t, rng, &b_at);
    if (a.len == 0 || b.len == 0 || a_at == b_at)
        return false;
    if (a_at > b_at) {
        struct elm_str line = a;
        uint32_t at = a_at;
        a = b, a_at = b_at;
        b = line, b_at = at;
    }
    elm_buf_add(out, t->bytes.ptr, a_at);
    elm_buf_add_str(out, b);
    elm_buf_add(out, a.ptr + a.len, b_at - a_at - a.len);
    elm_buf_add_str(out, a);
    elm_buf_add(out, b.ptr + b.len, t->bytes.len - b_at - b.len);
    return true;
}

static enum elm_status tokens_rewrite(void *self, const struct elm_operator_context *context,
                                      const struct elm_parents *parents, struct elm_rng *rng,
                                      struct elm_buf *out, struct elm_error *err)
{
    (void)self;
    struct text t = {.bytes = parents->parent[0].text}, other = {0};
    tokenise(&t, context->arena);
    if (parents->count > 1) {
        other.bytes = parents->parent[1].text;
        tokenise(&other, context->arena);
    }
    for (int i = 0; i < TRIES; i++) {
        uint32_t move = elm_rng_below(rng, 100);
        bool made = move < 35   ? change_number(&t, rng, out)
                    : move < 55 ? change_operator(&t, rng, out)
                    : move < 72 ? change_word(&t, rng, out)
                    : move < 79 ? delete_line(&t, rng, out)
                    : move < 86 ? copy_line(&t, &t, rng, out)
                    : move < 93 ? copy_line(&t, &other, rng, out)
                                : swap_lines(&t, rng, out);
        if (made && !elm_str_equal(elm_buf_str(out), t.bytes))
            return ELM_OK;
        elm_buf_clear(out);
    }
    return elm_fail(err, ELM_NOT_FOUND, "no token to change in program %lld",
                    (long long)parents->parent[0].id);
}

static bool tokens_applies(const struct elm_problem *problem, const struct elm_evidence *evidence,
                           const char **why)
{
    (void)evidence;
    if (problem->seed.count == 0)
        return true;
    if (why != NULL)
        *why = "the seed is core C: tree does better";
    return false;
}

const struct elm_operator_kind elm_operator_tokens = {
    .name = "tokens",
    .summary = "one token or line changed, in any language",
    .price_us = 5,
    .parents_min = 1,
    .applies = tokens_applies,
    .rewrite = tokens_rewrite,
};
