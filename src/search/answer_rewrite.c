/* answer_rewrite: the program, or the part of it that may change, in an answer. */
#include "search/answer.h"

#include "elm/diff.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 256
#define PARAMETERS_BYTES 2048      /* of one function */
#define TELLING_BYTES 8            /* shorter lines are in every program */

/* Lines, borrowed. */
struct lines {
    struct elm_str *at;
    uint32_t count;
};

/* The program as it is, cut into what stays and what may change. */
struct frame {
    struct elm_str program;
    struct elm_answer_span spans[ELM_ANSWER_SPANS_MAX];
    uint32_t count;
    bool marked;
    struct elm_str entry;          /* empty where the old part has none */
    bool braces;                   /* there are some in the old part */
};

/* ---- which lines of the answer are the code ---- */

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool has(const uint64_t *sorted, uint32_t count, uint64_t hash)
{
    return count > 0 && bsearch(&hash, sorted, count, sizeof(hash), by_hash) != NULL;
}

/* Of the lines of at least size_min bytes that are no white space; sorted. Free it. */
static uint64_t *hashes(struct lines l, uint32_t size_min, uint32_t *count)
{
    uint64_t *all = elm_malloc((l.count + 1) * sizeof(*all));
    *count = 0;
    for (uint32_t i = 0; i < l.count; i++) {
        uint32_t size;
        uint64_t hash = code_hash(l.at[i], &size);
        if (size >= size_min)
            all[(*count)++] = hash;
    }
    qsort(all, *count, sizeof(*all), by_hash);
    return all;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Where the name of the function is followed by a parenthesis, from `at` on; NULL: nowhere. Moves
 * *after behind the parenthesis. */
static const char *find_entry(struct elm_str s, const char *at, struct elm_str entry,
                              const char **after)
{
    const char *end = s.ptr + s.len;
    while ((at = memmem(at, (size_t)(end - at), entry.ptr, entry.len)) != NULL) {
        const char *next = at + entry.len;
        bool whole = at == s.ptr || !is_word(at[-1]);
        while (next < end && (*next == ' ' || *next == '\t'))
            next++;
        *after = next + 1;
        if (whole && next < end && *next == '(')
            return at;
        at++;
    }
    return NULL;
}

/* Does a brace follow the parameters that begin at `at`? */
static bool body_follows(const char *at, const char *end)
{
    const char *stop = end - at > PARAMETERS_BYTES ? at + PARAMETERS_BYTES : end;
    for (int depth = 1; at < stop && depth > 0; at++)
        depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
    while (at < end && code_blank((struct elm_str){at, 1}))
        at++;
    return at < end && *at == '{';
}

/* Is the function defined: does a brace follow its parameters? */
static bool defines(struct elm_str s, struct elm_str entry)
{
    const char *at = s.ptr, *end = s.ptr + s.len, *next;
    while (s.len > 0 && (at = find_entry(s, at, entry, &next)) != NULL) {
        if (body_follows(next, end))
            return true;
        at++;
    }
    return false;
}

/* Words and stars alone: it may be the type of a function named on the next line. */
static bool is_type(struct elm_str line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (!is_word(line.ptr[i]) && line.ptr[i] != ' ' && line.ptr[i] != '*')
            return false;
    }
    return line.len > 0;
}

/* One word before its first parenthesis? */
static bool names(struct elm_str line)
{
    size_t n = 0;
    while (n < line.len && is_word(line.ptr[n]))
        n++;
    while (n < line.len && line.ptr[n] == ' ')
        n++;
    return n > 0 && n < line.len && line.ptr[n] == '(';
}

/* Does a definition of any function begin on the line: a type, which may be the line above, a name,
 * parameters, a brace? */
static bool begins_function(struct elm_str line, bool typed, const char *end)
{
    const char *open = line.len > 0 ? memchr(line.ptr, '(', line.len) : NULL;
    if (open == NULL)
        return false;
    struct elm_str head = code_trim((struct elm_str){line.ptr, (size_t)(open - line.ptr)});
    return head.len > 0 && is_word(head.ptr[head.len - 1]) &&
           (typed || memchr(head.ptr, ' ', head.len) != NULL) && body_follows(open + 1, end);
}

/* A heading of a text is a # and a space. */
static bool is_directive(struct elm_str line)
{
    static const char *const words[] = {"#define", "#include", "#if", "#undef", "#pragma"};
    for (size_t i = 0; i < ELM_COUNT(words); i++) {
        if (line.len >= strlen(words[i]) && memcmp(line.ptr, words[i], strlen(words[i])) == 0)
            return true;
    }
    return false;
}

static bool holds_text(struct elm_str line, struct elm_str what)
{
    return line.len > 0 && memmem(line.ptr, line.len, what.ptr, what.len) != NULL;
}

static bool is_marked(struct lines l)
{
    for (uint32_t i = 0; i < l.count; i++) {
        if (marker_of(l.at[i]) == MARKER_START)
            return true;
    }
    return false;
}

static bool is_blank(struct lines l)
{
    for (uint32_t i = 0; i < l.count; i++) {
        if (!code_blank(l.at[i]))
            return false;
    }
    return true;
}

static bool fits(const struct frame *f, struct lines l)
{
    struct elm_buf all = {0};
    for (uint32_t i = 0; i < l.count; i++) {
        elm_buf_add_str(&all, l.at[i]);
        elm_buf_byte(&all, '\n');
    }
    struct elm_str text = elm_buf_str(&all);
    bool fit = (f->entry.len == 0 || defines(text, f->entry)) &&
               (!f->braces || holds_text(text, ELM_STR("{")));
    elm_buf_release(&all);
    return fit;
}

/* Does the line end the block that `opened` began? One that opens another does too. */
static bool ends_block(struct elm_str line, const struct fence *opened, bool *opens)
{
    struct fence f;
    if (!fence_read(line, &f) || f.c != opened->c || f.width < opened->width)
        return false;
    *opens = f.info.len > 0;
    return true;
}

/* Takes the closing fence off the end of a line of code: "}```". */
static bool take_glued(struct elm_str *line, const struct fence *opened)
{
    size_t len = line->len, n = 0;
    while (len > 0 && (line->ptr[len - 1] == ' ' || line->ptr[len - 1] == '\t'))
        len--;
    while (n < len && line->ptr[len - 1 - n] == opened->c)
        n++;
    if (n < opened->width)
        return false;
    line->len = len - n;
    return true;
}

/* The lines of the block that `opened` begins, indented as their fence is not; moves *at from its
 * first line to its last fence. */
static struct lines read_block(const struct answer *a, const struct fence *opened, uint32_t *at)
{
    struct lines l = {a->lines + *at, 0};
    bool opens = false, ended = false;
    while (!ended && *at < a->count && !ends_block(a->lines[*at], opened, &opens)) {
        struct elm_str *line = &a->lines[(*at)++];
        size_t indent = code_indent(*line).len;
        indent = indent < opened->indent ? indent : opened->indent;
        *line = (struct elm_str){line->ptr + indent, line->len - indent};
        ended = take_glued(line, opened);
        l.count++;
    }
    *at -= opens || ended;
    return l;
}

/* Fenced blocks that are not blank. Returns how many. */
static uint32_t find_blocks(const struct answer *a, struct lines blocks[BLOCKS_MAX])
{
    uint32_t count = 0;
    struct fence opened;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!fence_read(a->lines[i], &opened))
            continue;
        i++;
        struct lines l = read_block(a, &opened, &i);
        if (is_blank(l))
            continue;
        /* of too many the last are wanted */
        if (count == BLOCKS_MAX)
            memmove(blocks, blocks + 1, (--count) * sizeof(blocks[0]));
        blocks[count++] = l;
    }
    return count;
}

/* In an answer without fences: from the first line that is the program's, or might begin one. */
static struct lines unfenced(const struct frame *f, const struct answer *a)
{
    uint32_t first = a->count, end = a->count, known_count, size;
    struct lines program;
    program.count = elm_lines(f->program, &program.at);
    uint64_t *known = hashes(program, 1, &known_count);
    const char *stop = a->count > 0 ? a->lines[end - 1].ptr + a->lines[end - 1].len : NULL;
    for (uint32_t i = 0; i < a->count && first == a->count; i++) {
        struct elm_str line = code_trim(a->lines[i]);
        const char *after;
        if (line.len == 0)
            continue;
        bool typed = f->braces && i > 0 && is_type(code_trim(a->lines[i - 1])) && names(line);
        bool begins = !f->braces || marker_of(line) == MARKER_START || is_directive(line) ||
                      has(known, known_count, code_hash(line, &size)) ||
                      begins_function(line, typed, stop) ||
                      (f->entry.len > 0 && find_entry(line, line.ptr, f->entry, &after) != NULL &&
                       strchr(".:,", line.ptr[line.len - 1]) == NULL);
        first = begins ? i - typed : first;
    }
    free(known);
    free(program.at);
    while (f->braces && end > first && !holds_text(a->lines[end - 1], ELM_STR("}")) &&
           marker_of(a->lines[end - 1]) != MARKER_END)
        end--;
    return (struct lines){a->lines + first, end - first};
}

static bool looks_like_hunks(struct lines l)
{
    for (uint32_t i = 0; i < l.count; i++) {
        struct elm_str line = code_trim(l.at[i]);
        if (line.len >= 7 && (memcmp(line.ptr, "<<<<<<<", 7) == 0 ||
                              memcmp(line.ptr, "@@ -", 4) == 0))
            return true;
    }
    return false;
}

static enum elm_status choose_code(const struct frame *f, const struct answer *a, struct lines *out,
                                   struct elm_error *err)
{
    struct lines blocks[BLOCKS_MAX];
    uint32_t count = find_blocks(a, blocks);
    if (count == 0) {
        blocks[0] = unfenced(f, a);
        if (blocks[0].count == 0)
            return elm_fail(err, ELM_PARSE, "no program in the answer");
        count = 1;
    }
    const struct lines *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (fits(f, blocks[i]) && (best == NULL || is_marked(blocks[i]) || !is_marked(*best)))
            best = &blocks[i];
    }
    if (looks_like_hunks(best != NULL ? *best : blocks[count - 1]))
        return elm_fail(err, ELM_PARSE, "hunks in place of a program");
    if (best == NULL && f->entry.len > 0)
        return elm_fail(err, ELM_PARSE, "no %.24s() in its code", f->entry.ptr);
    if (best == NULL)
        return elm_fail(err, ELM_PARSE, "no program in the answer");
    *out = *best;
    return ELM_OK;
}

/* ---- what of the code takes the place of the old part ---- */

/* A walk over what is no white space, forwards or backwards. */
struct walk {
    struct lines l;
    bool back;
    uint32_t line;                 /* lines begun */
    size_t at;                     /* bytes of the last begun one that are done */
};

static struct elm_str walk_line(const struct walk *w)
{
    return w->l.at[w->back ? w->l.count - w->line : w->line - 1];
}

/* Goes on to the next byte; -1 at the end. */
static int walk_next(struct walk *w)
{
    for (;;) {
        struct elm_str line = w->line == 0 ? (struct elm_str){0} : walk_line(w);
        while (w->at < line.len) {
            char c = line.ptr[w->back ? line.len - 1 - w->at : w->at];
            w->at++;
            if (!code_blank((struct elm_str){&c, 1}))
                return (unsigned char)c;
        }
        if (w->line == w->l.count)
            return -1;
        w->line++;
        w->at = 0;
    }
}

/* If the code begins with all of `side` (ends with it, if `back`), takes the lines of it off. White
 * space, line ends among it, doesn't count. */
static bool take_off(struct lines *code, struct lines side, bool back)
{
    struct walk in_code = {.l = *code, .back = back}, in_side = {.l = side, .back = back};
    int wanted;
    while ((wanted = walk_next(&in_side)) >= 0) {
        if (walk_next(&in_code) != wanted)
            return false;
    }
    /* whole lines only */
    uint32_t taken = in_code.line;
    int more = walk_next(&in_code);
    if (more >= 0 && taken > 0 && in_code.line == taken)
        return false;
    code->at += back ? 0 : taken;
    code->count -= taken;
    return true;
}

/* Does the code hold most of what only stands outside of the old part? Then it is the whole
 * program, with changes where there may be none. */
static bool holds_most_of(struct lines code, struct lines outside, struct lines old)
{
    uint32_t code_count, old_count, telling = 0, found = 0;
    uint64_t *in_code = hashes(code, TELLING_BYTES, &code_count);
    uint64_t *in_old = hashes(old, TELLING_BYTES, &old_count);
    for (uint32_t i = 0; i < outside.count; i++) {
        uint32_t size;
        uint64_t hash = code_hash(outside.at[i], &size);
        if (size < TELLING_BYTES || code_trim(outside.at[i]).ptr[0] == '#' ||
            has(in_old, old_count, hash))
            continue;
        telling++;
        found += has(in_code, code_count, hash);
    }
    free(in_code);
    free(in_old);
    return telling > 0 && found * 2 > telling;
}

/* Code without markers in the place of the one part: the part alone, or the program around it
 * too. */
static enum elm_status strip_outside(const struct frame *f, struct lines *code,
                                     struct elm_error *err)
{
    const struct elm_answer_span *s = &f->spans[0];
    struct elm_str program = f->program;
    struct lines before, old, after;
    size_t end = s->at + s->len, line = s->at;
    /* without the marker lines */
    while (line > 0 && program.ptr[line - 1] == '\n')
        line--;
    while (line > 0 && program.ptr[line - 1] != '\n')
        line--;
    const char *newline = end < program.len ? memchr(program.ptr + end, '\n', program.len - end)
                                            : NULL;
    size_t next = newline == NULL ? program.len : (size_t)(newline - program.ptr) + 1;
    before.count = elm_lines((struct elm_str){program.ptr, line}, &before.at);
    old.count = elm_lines((struct elm_str){program.ptr + s->at, s->len}, &old.at);
    after.count = elm_lines((struct elm_str){program.ptr + next, program.len - next}, &after.at);
    bool outside = (!take_off(code, before, false) && holds_most_of(*code, before, old)) ||
                   (!take_off(code, after, true) && holds_most_of(*code, after, old));
    /* an #include said again where one can't stand */
    for (bool again = true; again && !outside && code->count > 0;) {
        again = code_blank(code->at[0]);
        for (uint32_t i = 0; i < before.count && !again; i++)
            again = code_trim(code->at[0]).ptr[0] == '#' && code_same(code->at[0], before.at[i]);
        code->at += again;
        code->count -= again;
    }
    free(before.at);
    free(old.at);
    free(after.at);
    return outside ? elm_fail(err, ELM_PARSE, "changes code outside the evolve block") : ELM_OK;
}

static uint32_t newlines(struct elm_str s, bool last)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[last ? s.len - 1 - i : i];
        if (c == '\n')
            n++;
        else if (c != '\r' && c != ' ' && c != '\t')
            break;
    }
    return n;
}

/* Indentation that all lines with something on them share. */
static struct elm_str shared_indent(struct lines l)
{
    struct elm_str shared = {NULL, 0};
    bool first = true;
    for (uint32_t i = 0; i < l.count; i++) {
        if (code_blank(l.at[i]))
            continue;
        struct elm_str indent = code_indent(l.at[i]);
        size_t n = 0;
        while (!first && n < indent.len && n < shared.len && indent.ptr[n] == shared.ptr[n])
            n++;
        shared = (struct elm_str){indent.ptr, first ? indent.len : n};
        first = false;
    }
    return shared;
}

static bool counts(struct elm_str line)
{
    return !code_blank(line) && marker_of(line) == MARKER_NONE;
}

/* Appends the new lines as the old part was laid out: its empty lines at both ends, its line
 * ends, its indentation where the new lines have none. */
static enum elm_status place(const struct frame *f, uint32_t span, struct lines code,
                             struct elm_buf *child, struct elm_error *err)
{
    const struct elm_answer_span *s = &f->spans[span];
    struct elm_str old = {f->program.ptr + s->at, s->len}, newline = code_newline(f->program);
    while (code.count > 0 && !counts(code.at[0]))
        code.at++, code.count--;
    while (code.count > 0 && !counts(code.at[code.count - 1]))
        code.count--;
    if (code.count == 0)
        return elm_fail(err, ELM_PARSE, "an empty program");
    struct lines before;
    before.count = elm_lines(old, &before.at);
    struct elm_str indent = shared_indent(before);
    free(before.at);
    bool shift = indent.len > 0 && shared_indent(code).len == 0;
    /* the marker line before it may be the last of the file, without an end */
    bool cut = f->marked && f->program.ptr[s->at - 1] != '\n';
    for (uint32_t n = code_blank(old) ? cut : newlines(old, false); n > 0; n--)
        elm_buf_add_str(child, newline);
    for (uint32_t i = 0; i < code.count; i++) {
        if (marker_of(code.at[i]) != MARKER_NONE)
            continue;
        if (shift && !code_blank(code.at[i]))
            elm_buf_add_str(child, indent);
        elm_buf_add_str(child, code.at[i]);
        if (i + 1 < code.count)
            elm_buf_add_str(child, newline);
    }
    for (uint32_t n = code_blank(old) ? 1 : newlines(old, true); n > 0; n--)
        elm_buf_add_str(child, newline);
    return ELM_OK;
}

/* The parts between the markers of the code. */
static enum elm_status marked_parts(const struct frame *f, struct lines code,
                                    struct lines parts[ELM_ANSWER_SPANS_MAX],
                                    struct elm_error *err)
{
    uint32_t count = 0;
    bool open = false;
    for (uint32_t i = 0; i < code.count; i++) {
        enum marker marker = marker_of(code.at[i]);
        if (marker == MARKER_START && !open) {
            open = true;
            if (count < ELM_ANSWER_SPANS_MAX)
                parts[count] = (struct lines){code.at + i + 1, 0};
            count++;
        } else if (marker == MARKER_END) {
            open = false;
        } else if (open && count <= ELM_ANSWER_SPANS_MAX) {
            parts[count - 1].count++;
        }
    }
    const struct elm_answer_span *last = &f->spans[f->count - 1];
    if (open && last->at + last->len < f->program.len)
        return elm_fail(err, ELM_PARSE, "its EVOLVE-BLOCK-END line is missing");
    if (count != f->count)
        return elm_fail(err, ELM_PARSE, "%u evolve blocks in the answer, not %u", count, f->count);
    return ELM_OK;
}

static enum elm_status find_parts(const struct frame *f, struct lines code,
                                  struct lines parts[ELM_ANSWER_SPANS_MAX],
                                  struct elm_error *err)
{
    if (f->marked && (is_marked(code) || f->count > 1))
        return marked_parts(f, code, parts, err);
    parts[0] = code;
    if (!f->marked)
        return ELM_OK;
    /* the second marker alone still says where the part ends */
    for (uint32_t i = 0; i < code.count; i++) {
        if (marker_of(code.at[i]) == MARKER_END)
            parts[0].count = i < parts[0].count ? i : parts[0].count;
    }
    return strip_outside(f, &parts[0], err);
}

static struct frame frame_of(struct elm_str program, const char *entry)
{
    struct frame f = {.program = program};
    f.count = elm_answer_spans(program, f.spans, &f.marked);
    for (uint32_t i = 0; i < f.count; i++) {
        struct elm_str old = {program.ptr + f.spans[i].at, f.spans[i].len};
        f.braces = f.braces || holds_text(old, ELM_STR("{"));
        if (entry != NULL && entry[0] != '\0' && defines(old, elm_str(entry)))
            f.entry = elm_str(entry);
    }
    return f;
}

enum elm_status elm_answer_rewrite(struct elm_str program, const char *entry,
                                   struct elm_str answer, struct elm_buf *child,
                                   struct elm_error *err)
{
    struct answer a;
    ELM_TRY(answer_open(answer, &a, err));
    struct frame f = frame_of(program, entry);
    struct lines code = {0}, parts[ELM_ANSWER_SPANS_MAX];
    enum elm_status status = choose_code(&f, &a, &code, err);
    if (status == ELM_OK)
        status = find_parts(&f, code, parts, err);
    size_t start = child->len, at = 0;
    for (uint32_t i = 0; i < f.count && status == ELM_OK; i++) {
        elm_buf_add(child, program.ptr + at, f.spans[i].at - at);
        status = place(&f, i, parts[i], child, err);
        at = f.spans[i].at + f.spans[i].len;
    }
    if (status == ELM_OK)
        elm_buf_add(child, program.ptr + at, program.len - at);
    else if (child->ptr != NULL)
        child->ptr[child->len = start] = '\0';
    answer_close(&a);
    return status;
}
