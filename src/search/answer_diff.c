/* answer_diff: applies the hunks of an answer to the program. */
#include "search/answer_hunks.h"

#include "elm/diff.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PART_BYTES_MIN 3           /* of a line that is looked for within lines */

/* A line of the program, or of what took its place. */
struct row {
    struct elm_str text;           /* with its \r\n, \n or nothing */
    uint32_t number;               /* in the program, from 1; 0: a hunk brought it */
    bool inside;                   /* may change */
    bool opens;                    /* lines may be put behind it: a START marker */
};
struct rows {
    struct row *at;
    uint32_t count, cap;
    bool free;                     /* no markers: lines may be put anywhere */
};

/* Rows [from, to) become lines [skip, skip + count) of the hunk's new lines. */
struct place {
    uint32_t from, to, skip, count;
    uint32_t number;               /* of the first row that the hunk's old lines are */
    struct elm_str was, is;        /* indentation of the hunk's lines, and of the program's */
};
/* What was found of a hunk's old lines, in one way of looking. */
struct found {
    struct place place;            /* the last one that may change */
    uint32_t inside, outside;
    bool exact_line;               /* place is where the hunk says */
};

/* ---- the program as rows ---- */

static void add_rows(struct rows *r, struct elm_str text, bool inside, bool opens)
{
    size_t at = 0;
    while (at < text.len) {
        const char *newline = memchr(text.ptr + at, '\n', text.len - at);
        size_t end = newline == NULL ? text.len : (size_t)(newline - text.ptr) + 1;
        if (r->count == r->cap) {
            r->cap = r->cap == 0 ? 256 : r->cap * 2;
            r->at = elm_realloc(r->at, r->cap * sizeof(r->at[0]));
        }
        struct elm_str line = {text.ptr + at, end - at};
        bool marker = marker_of(line) != MARKER_NONE;
        r->at[r->count] = (struct row){line, r->count + 1, inside && !marker,
                                       opens && end == text.len};
        r->count++;
        at = end;
    }
}

static struct rows rows_of(struct elm_str program)
{
    struct elm_answer_span spans[ELM_ANSWER_SPANS_MAX];
    bool marked;
    uint32_t count = elm_answer_spans(program, spans, &marked);
    struct rows r = {.free = !marked};
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        add_rows(&r, (struct elm_str){program.ptr + at, spans[i].at - at}, false, marked);
        add_rows(&r, (struct elm_str){program.ptr + spans[i].at, spans[i].len}, true, false);
        at = spans[i].at + spans[i].len;
    }
    if (at < program.len)
        add_rows(&r, (struct elm_str){program.ptr + at, program.len - at}, false, false);
    return r;
}

/* May rows [from, to) be taken out and others put in? */
static bool may_change(const struct rows *r, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (!r->at[i].inside)
            return false;
    }
    return r->free || from < to || (from > 0 && (r->at[from - 1].inside || r->at[from - 1].opens)) ||
           (from < r->count && r->at[from].inside);
}

/* ---- finding a hunk ---- */

/* Lines at the hunk's begin that it leaves as they are; then at its end. */
static void common(const struct hunk *h, uint32_t *head, uint32_t *tail)
{
    uint32_t n = h->old_count < h->fresh_count ? h->old_count : h->fresh_count;
    *head = *tail = 0;
    while (*head < n && elm_str_equal(h->old[*head], h->fresh[*head]))
        ++*head;
    while (*head + *tail < n && elm_str_equal(h->old[h->old_count - 1 - *tail],
                                              h->fresh[h->fresh_count - 1 - *tail]))
        ++*tail;
}

static void note(struct found *f, const struct rows *r, const struct hunk *h, struct place p)
{
    if (!may_change(r, p.from, p.to)) {
        f->outside++;
        return;
    }
    f->inside++;
    if (f->exact_line)
        return;
    f->place = p;
    f->exact_line = h->line > 0 && p.number == h->line;
}

static struct elm_str without_end(struct elm_str line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    return line;
}

/* Line for line. `old_rows`: only where all rows are the program's own. */
static void find_lines(const struct rows *r, const struct hunk *h, bool old_rows, struct found *f)
{
    uint32_t head, tail, n = h->old_count;
    common(h, &head, &tail);
    for (uint32_t i = 0; i + n <= r->count; i++) {
        uint32_t k = 0;
        while (k < n && elm_str_equal(without_end(r->at[i + k].text), h->old[k]) &&
               !(old_rows && r->at[i + k].number == 0))
            k++;
        if (k == n) {
            note(f, r, h, (struct place){.from = i + head, .to = i + n - tail, .skip = head,
                                         .count = h->fresh_count - head - tail,
                                         .number = r->at[i].number});
        }
    }
}

/* The bytes of rows that are no white space, and which row each is of. */
struct dense {
    char *bytes;
    uint32_t *row;
    uint32_t count;
};

static uint32_t pack(struct elm_str line, char *out)
{
    uint32_t n = 0;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\v' && c != '\f')
            out[n++] = c;
    }
    return n;
}

static struct dense dense_of(const struct rows *r)
{
    size_t total = 0;
    for (uint32_t i = 0; i < r->count; i++)
        total += r->at[i].text.len;
    struct dense d = {elm_malloc(total + 1), elm_malloc((total + 1) * sizeof(uint32_t)), 0};
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t n = pack(r->at[i].text, d.bytes + d.count);
        for (uint32_t k = 0; k < n; k++)
            d.row[d.count + k] = i;
        d.count += n;
    }
    return d;
}

static bool begins_row(const struct dense *d, uint32_t at)
{
    return at == 0 || at == d->count || d->row[at - 1] != d->row[at];
}

static struct elm_str first_indent(const struct elm_str *lines, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!code_blank(lines[i]))
            return code_indent(lines[i]);
    }
    return (struct elm_str){0};
}

/* The hunk's old lines are bytes [at, at + n) of d, whole rows. Its first `head` bytes and its last
 * `tail` stay, if they are whole rows too. */
static struct place dense_place(const struct rows *r, const struct dense *d, const struct hunk *h,
                                uint32_t at, uint32_t n, const uint32_t bytes[2],
                                const uint32_t lines[2])
{
    uint32_t head = bytes[0], tail = bytes[1], skip = lines[0], drop = lines[1];
    if (!begins_row(d, at + head))
        head = skip = 0;
    if (!begins_row(d, at + n - tail))
        tail = drop = 0;
    struct place p = {.skip = skip, .count = h->fresh_count - skip - drop,
                      .number = r->at[d->row[at]].number,
                      .was = first_indent(h->old, h->old_count),
                      .is = code_indent(r->at[d->row[at]].text)};
    uint32_t from = at + head, to = at + n - tail;
    if (from < to) {
        p.from = d->row[from];
        p.to = d->row[to - 1] + 1;
    } else {
        p.from = p.to = head > 0 ? d->row[from - 1] + 1 : d->row[from];
    }
    return p;
}

static uint32_t packed_bytes(const struct elm_str *lines, uint32_t count)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size;
        code_hash(lines[i], &size);
        total += size;
    }
    return total;
}

/* Whatever the white space, line ends among it; only whole lines of the program. */
static void find_dense(const struct rows *r, const struct hunk *h, bool old_rows, struct found *f)
{
    uint32_t lines[2], n = 0, total = packed_bytes(h->old, h->old_count);
    common(h, &lines[0], &lines[1]);
    uint32_t bytes[2] = {packed_bytes(h->old, lines[0]),
                         packed_bytes(h->old + h->old_count - lines[1], lines[1])};
    if (total == 0)
        return;
    char *wanted = elm_malloc(total);
    for (uint32_t i = 0; i < h->old_count; i++)
        n += pack(h->old[i], wanted + n);
    struct dense d = dense_of(r);
    const char *at = d.bytes, *end = d.bytes + d.count;
    while ((at = memmem(at, (size_t)(end - at), wanted, n)) != NULL) {
        uint32_t first = (uint32_t)(at - d.bytes);
        bool own = true;
        for (uint32_t i = d.row[first]; i <= d.row[first + n - 1] && old_rows; i++)
            own = own && r->at[i].number > 0;
        if (own && begins_row(&d, first) && begins_row(&d, first + n))
            note(f, r, h, dense_place(r, &d, h, first, n, bytes, lines));
        at++;
    }
    free(wanted);
    free(d.bytes);
    free(d.row);
}

/* Nothing to find: only where nothing stands that could be replaced. */
static enum elm_status find_nothing(const struct rows *r, const struct hunk *h, struct place *out,
                                    struct elm_error *err)
{
    uint32_t from = r->count;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->at[i].inside && !code_blank(r->at[i].text))
            return elm_fail(err, ELM_PARSE, "hunk %u: its SEARCH text is empty", h->number);
        if (from == r->count && (r->at[i].inside || r->at[i].opens))
            from = i + r->at[i].opens;
    }
    *out = (struct place){.from = from, .to = from, .count = h->fresh_count};
    return ELM_OK;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Does the part of row [at, at + len) cut no word in two? */
static bool whole_words(struct elm_str row, size_t at, size_t len)
{
    return !(at > 0 && is_word(row.ptr[at]) && is_word(row.ptr[at - 1])) &&
           !(at + len < row.len && is_word(row.ptr[at + len - 1]) && is_word(row.ptr[at + len]));
}

/* A hunk of one line that is a part of a line becomes one of the whole line. Returns how often the
 * part occurs where it may change. */
static uint32_t widen(const struct rows *r, struct hunk *h, struct elm_arena *arena)
{
    struct elm_str part = {0}, fresh = {0}, line = {0};
    uint32_t olds = 0, news = 0, times = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < h->old_count; i++) {
        part = code_blank(h->old[i]) ? part : code_trim(h->old[i]);
        olds += !code_blank(h->old[i]);
    }
    for (uint32_t i = 0; i < h->fresh_count; i++) {
        fresh = code_blank(h->fresh[i]) ? fresh : code_trim(h->fresh[i]);
        news += !code_blank(h->fresh[i]);
    }
    if (olds != 1 || news > 1 || part.len < PART_BYTES_MIN)
        return 0;
    for (uint32_t i = 0; i < r->count; i++) {
        struct elm_str row = without_end(r->at[i].text);
        const char *found = row.ptr;
        while (r->at[i].inside && row.len > 0 &&
               (found = memmem(found, row.len - (size_t)(found - row.ptr), part.ptr, part.len))) {
            size_t where = (size_t)(found++ - row.ptr);
            if (!whole_words(row, where, part.len))
                continue;
            at = where;
            line = row;
            times++;
        }
    }
    char *bytes = elm_arena_alloc(arena, line.len + fresh.len + 1);
    struct elm_str *lines = elm_arena_alloc(arena, 2 * sizeof(*lines));
    if (times != 1)
        return times;
    memcpy(bytes, line.ptr, at);
    if (fresh.len > 0)
        memcpy(bytes + at, fresh.ptr, fresh.len);
    memcpy(bytes + at + fresh.len, line.ptr + at + part.len, line.len - at - part.len);
    lines[0] = line;
    lines[1] = (struct elm_str){bytes, line.len - part.len + fresh.len};
    *h = (struct hunk){lines, lines + 1, 1, 1, h->number, 0};
    return 1;
}

static enum elm_status find(const struct rows *r, struct hunk *h, struct elm_arena *arena,
                            struct place *out, struct elm_error *err)
{
    bool outside = false;
    uint32_t times = 0;
    if (packed_bytes(h->old, h->old_count) == 0)
        return find_nothing(r, h, out, err);
    /* the program's own lines first: a hunk before this one may have brought the same again */
    for (int way = 0; way < 5 && times == 0; way++) {
        struct found f = {0};
        if (way == 4) {
            times = outside ? 0 : widen(r, h, arena);
            if (times == 1)
                find_lines(r, h, false, &f);
        } else if (way % 2 == 0) {
            find_lines(r, h, way < 2, &f);
        } else {
            find_dense(r, h, way < 2, &f);
        }
        if (f.inside == 1 || f.exact_line) {
            *out = f.place;
            return ELM_OK;
        }
        times = f.inside > 0 ? f.inside : times;
        outside = outside || f.outside > 0;
    }
    if (times > 0) {
        return elm_fail(err, ELM_PARSE, "hunk %u: its SEARCH text occurs %u times", h->number,
                        times);
    }
    return elm_fail(err, ELM_PARSE, outside ? "hunk %u: outside the evolve block"
                                            : "hunk %u: its SEARCH text is not there", h->number);
}

/* ---- applying it ---- */

/* A new line as the program has them: its indentation, its line end. */
static struct elm_str shape(struct elm_str line, const struct place *p, struct elm_str newline,
                            struct elm_arena *arena)
{
    struct elm_str indent = {0};
    bool shift = !elm_str_equal(p->was, p->is) && !code_blank(line) && line.len >= p->was.len &&
                 (p->was.len == 0 || memcmp(line.ptr, p->was.ptr, p->was.len) == 0);
    if (shift) {
        indent = p->is;
        line = (struct elm_str){line.ptr + p->was.len, line.len - p->was.len};
    }
    char *bytes = elm_arena_alloc(arena, indent.len + line.len + newline.len + 1);
    if (indent.len > 0)
        memcpy(bytes, indent.ptr, indent.len);
    if (line.len > 0)
        memcpy(bytes + indent.len, line.ptr, line.len);
    memcpy(bytes + indent.len + line.len, newline.ptr, newline.len);
    return (struct elm_str){bytes, indent.len + line.len + newline.len};
}

static void replace(struct rows *r, const struct hunk *h, const struct place *p,
                    struct elm_str newline, struct elm_arena *arena)
{
    struct row *fresh = elm_arena_alloc(arena, (p->count + 1) * sizeof(*fresh));
    uint32_t count = 0;
    for (uint32_t i = p->skip; i < p->skip + p->count; i++) {
        /* markers stay where they are */
        if (marker_of(h->fresh[i]) == MARKER_NONE)
            fresh[count++] = (struct row){shape(h->fresh[i], p, newline, arena), 0, true, false};
    }
    uint32_t removed = p->to - p->from, left = r->count - p->to;
    if (r->count - removed + count > r->cap) {
        r->cap = r->count + count;
        r->at = elm_realloc(r->at, r->cap * sizeof(r->at[0]));
    }
    if (left > 0)
        memmove(r->at + p->from + count, r->at + p->to, left * sizeof(r->at[0]));
    if (count > 0)
        memcpy(r->at + p->from, fresh, count * sizeof(r->at[0]));
    r->count = r->count - removed + count;
}

static void print(const struct rows *r, struct elm_str newline, struct elm_buf *out)
{
    for (uint32_t i = 0; i < r->count; i++) {
        struct elm_str text = r->at[i].text;
        elm_buf_add_str(out, text);
        if (i + 1 < r->count && (text.len == 0 || text.ptr[text.len - 1] != '\n'))
            elm_buf_add_str(out, newline);
    }
}

enum elm_status elm_answer_diff(struct elm_str program, struct elm_str answer,
                                struct elm_buf *child, struct elm_error *err)
{
    struct answer a;
    ELM_TRY(answer_open(answer, &a, err));
    struct elm_arena arena = {0};
    struct hunk hunks[ELM_ANSWER_HUNKS_MAX];
    uint32_t count = 0;
    struct rows rows = rows_of(program);
    struct elm_str newline = code_newline(program);
    enum elm_status status = hunks_read(&a, &arena, hunks, &count, err);
    for (uint32_t i = 0; i < count && status == ELM_OK; i++) {
        struct place p = {0};
        status = find(&rows, &hunks[i], &arena, &p, err);
        if (status == ELM_OK)
            replace(&rows, &hunks[i], &p, newline, &arena);
    }
    if (status == ELM_OK)
        print(&rows, newline, child);
    free(rows.at);
    elm_arena_release(&arena);
    answer_close(&a);
    return status;
}
