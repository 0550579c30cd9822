/* answer_hunks: SEARCH/REPLACE blocks and unified hunks in an answer. */
#include "search/answer_hunks.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct finding {
    const struct answer *a;
    struct elm_arena *arena;
    struct hunk *hunks;
    uint32_t count, seen;              /* kept; all, those that change nothing among them */
    struct elm_error *err;
};

static bool same_lines(const struct elm_str *a, uint32_t a_count, const struct elm_str *b,
                       uint32_t b_count)
{
    bool same = a_count == b_count;
    for (uint32_t i = 0; same && i < a_count; i++)
        same = elm_str_equal(a[i], b[i]);
    return same;
}

/* Keeps a hunk unless it changes nothing or was there before. */
static enum elm_status keep(struct finding *f, struct hunk h)
{
    h.number = ++f->seen;
    bool idle = same_lines(h.old, h.old_count, h.fresh, h.fresh_count);
    for (uint32_t i = 0; i < f->count && !idle; i++) {
        const struct hunk *k = &f->hunks[i];
        idle = h.line == 0 && same_lines(h.old, h.old_count, k->old, k->old_count) &&
               same_lines(h.fresh, h.fresh_count, k->fresh, k->fresh_count);
    }
    if (idle)
        return ELM_OK;
    if (f->count == ELM_ANSWER_HUNKS_MAX)
        return elm_fail(f->err, ELM_PARSE, "more than %d hunks", ELM_ANSWER_HUNKS_MAX);
    f->hunks[f->count++] = h;
    return ELM_OK;
}

/* ---- SEARCH/REPLACE ---- */

/* A run of at least five c, then one of two words or, where `bare` allows it, nothing. */
static bool is_mark(struct elm_str line, char c, const char *word, bool bare)
{
    struct elm_str s = code_trim(line);
    size_t n = 0;
    while (n < s.len && s.ptr[n] == c)
        n++;
    s = code_trim((struct elm_str){s.ptr + n, s.len - n});
    /* a fence that closes on the same line */
    while (s.len > 0 && s.ptr[s.len - 1] == '`')
        s.len--;
    return n >= 5 && ((bare && s.len == 0) ||
                      (s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0));
}

static bool is_search(struct elm_str line)
{
    return is_mark(line, '<', "SEARCH", false);
}

/* The ======= of a hunk whose lines are [from, to): one of seven if there is any. */
static uint32_t divider(const struct answer *a, uint32_t from, uint32_t to)
{
    uint32_t found = to;
    for (uint32_t i = from; i < to; i++) {
        struct elm_str s = code_trim(a->lines[i]);
        if (s.len == 7 && memcmp(s.ptr, "=======", 7) == 0)
            return i;
        if (found == to && is_mark(s, '=', "", true))
            found = i;
    }
    return found;
}

/* Lines [from, to) without a fence around them. */
static struct elm_str *side(const struct answer *a, uint32_t from, uint32_t to, uint32_t *count)
{
    struct fence opened;
    if (to - from >= 2 && fence_read(a->lines[from], &opened) &&
        fence_closes(a->lines[to - 1], &opened))
        from++, to--;
    *count = to - from;
    return a->lines + from;
}

/* The hunk that begins at line *at; moves it to the hunk's last line. */
static enum elm_status read_search(struct finding *f, uint32_t *at)
{
    const struct answer *a = f->a;
    uint32_t from = *at + 1, end = from, fence = 0, number = f->seen + 1;
    while (end < a->count && !is_mark(a->lines[end], '>', "REPLACE", true) &&
           !is_search(a->lines[end]))
        end++;
    bool ended = end < a->count && !is_search(a->lines[end]);
    uint32_t middle = divider(a, from, end);
    if (middle == end && !ended && end == a->count)
        return elm_fail(f->err, ELM_PARSE, "hunk %u is cut off", number);
    if (middle == end)
        return elm_fail(f->err, ELM_PARSE, "hunk %u has no ======= line", number);
    struct fence bare = {.c = '`', .width = 3};
    for (uint32_t i = middle + 1; i < end && fence == 0 && !ended; i++)
        fence = fence_closes(a->lines[i], &bare) ? i : 0;
    if (!ended && fence == 0) {
        return elm_fail(f->err, ELM_PARSE, end == a->count ? "hunk %u is cut off"
                                                           : "hunk %u has no REPLACE line", number);
    }
    struct hunk h = {0};
    h.old = side(a, from, middle, &h.old_count);
    h.fresh = side(a, middle + 1, ended ? end : fence, &h.fresh_count);
    *at = ended ? end : end - 1;
    return keep(f, h);
}

static enum elm_status read_searches(struct finding *f)
{
    for (uint32_t i = 0; i < f->a->count; i++) {
        if (is_search(f->a->lines[i]))
            ELM_TRY(read_search(f, &i));
    }
    return ELM_OK;
}

/* ---- unified ---- */

struct unified {
    struct hunk h;                     /* being read */
    struct elm_str *old, *fresh;       /* room for the lines of all hunks that come */
    bool open, changes;
    bool fenced;                       /* in a fenced block, or behind <DFF>: lines without a sign
                                          are context */
    bool bare;                         /* a fenced diff without @@ */
    struct fence fence;
};

static bool starts(struct elm_str s, const char *with)
{
    size_t len = strlen(with);
    return s.len >= len && memcmp(s.ptr, with, len) == 0;
}

static enum elm_status close_hunk(struct finding *f, struct unified *u)
{
    struct hunk h = u->h;
    bool was_open = u->open;
    u->open = false;
    if (!was_open || !u->changes)
        return ELM_OK;
    u->old += h.old_count;
    u->fresh += h.fresh_count;
    while (h.old_count > 0 && h.fresh_count > 0 && code_blank(h.old[h.old_count - 1]) &&
           code_blank(h.fresh[h.fresh_count - 1]))
        h.old_count--, h.fresh_count--;
    return keep(f, h);
}

static void open_hunk(struct unified *u, uint32_t line)
{
    u->open = true;
    u->changes = false;
    u->h = (struct hunk){.old = u->old, .fresh = u->fresh, .line = line};
}

/* "@@ -12,3 +12,4 @@": 12. */
static uint32_t header_line(struct elm_str s)
{
    uint64_t line = 0;
    const char *minus = memchr(s.ptr, '-', s.len), *end = s.ptr + s.len;
    for (const char *p = minus == NULL ? end : minus + 1; p < end && *p >= '0' && *p <= '9'; p++)
        line = line < UINT32_MAX ? line * 10 + (uint64_t)(*p - '0') : line;
    return line < UINT32_MAX ? (uint32_t)line : 0;
}

static enum elm_status add_line(struct finding *f, struct unified *u, struct elm_str line)
{
    char sign = line.len == 0 ? ' ' : line.ptr[0];
    struct elm_str rest = {line.ptr + (line.len > 0), line.len - (line.len > 0)};
    if (sign == '\\')
        return ELM_OK;
    if (sign != '+' && sign != '-' && sign != ' ') {
        if (!u->fenced)
            return close_hunk(f, u);
        rest = line;
    }
    if (sign != '+')
        u->h.old[u->h.old_count++] = rest;
    if (sign != '-')
        u->h.fresh[u->h.fresh_count++] = rest;
    u->changes = u->changes || sign == '+' || sign == '-';
    return ELM_OK;
}

/* Fences, and the words of file headers and of the diff model. True: the line is dealt with. */
static bool is_frame(struct finding *f, struct unified *u, uint32_t at, enum elm_status *status)
{
    struct elm_str line = f->a->lines[at];
    bool header = starts(line, "--- ") && at + 1 < f->a->count &&
                  starts(f->a->lines[at + 1], "+++ ");
    bool second = starts(line, "+++ ") && at > 0 && starts(f->a->lines[at - 1], "--- ");
    struct fence fence;
    if (header || second || starts(line, "diff --git ") || starts(line, "*** ") ||
        starts(line, "<NME>") || starts(line, "<BEF>") || starts(line, "<MSG>") ||
        starts(line, "<DFF>")) {
        *status = close_hunk(f, u);
        u->fenced = u->fenced || starts(line, "<DFF>");
        if (u->bare && second)
            open_hunk(u, 0);
        return true;
    }
    if (!fence_read(line, &fence))
        return false;
    bool closes = u->fence.width > 0 && fence_closes(line, &u->fence);
    if (u->open && !closes && !u->bare && u->fence.width > 0)
        return false;                  /* a line of the program */
    *status = close_hunk(f, u);
    u->fence = closes ? (struct fence){0} : fence;
    u->fenced = !closes;
    u->bare = !closes && (elm_str_equal(fence.info, ELM_STR("diff")) ||
                          elm_str_equal(fence.info, ELM_STR("patch")));
    if (u->bare)
        open_hunk(u, 0);
    return true;
}

static enum elm_status read_unified(struct finding *f)
{
    size_t room = f->a->count * sizeof(struct elm_str);
    struct unified u = {.old = elm_arena_alloc(f->arena, room),
                        .fresh = elm_arena_alloc(f->arena, room)};
    for (uint32_t i = 0; i < f->a->count; i++) {
        struct elm_str line = f->a->lines[i];
        enum elm_status status = ELM_OK;
        if (is_frame(f, &u, i, &status)) {
            ELM_TRY(status);
            /* the diff model goes on behind its mark */
            if (!starts(line, "<DFF>"))
                continue;
            line = code_trim((struct elm_str){line.ptr + 5, line.len - 5});
        }
        if (starts(line, "@@")) {
            ELM_TRY(close_hunk(f, &u));
            open_hunk(&u, header_line(line));
        } else if (u.open) {
            ELM_TRY(add_line(f, &u, line));
        }
    }
    return close_hunk(f, &u);
}

enum elm_status hunks_read(const struct answer *a, struct elm_arena *arena, struct hunk *hunks,
                           uint32_t *count, struct elm_error *err)
{
    struct finding f = {.a = a, .arena = arena, .hunks = hunks, .err = err};
    ELM_TRY(read_searches(&f));
    if (f.seen == 0)
        ELM_TRY(read_unified(&f));
    if (f.seen == 0)
        return elm_fail(err, ELM_PARSE, "no hunk in the answer");
    *count = f.count;
    return ELM_OK;
}
