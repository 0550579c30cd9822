/* prompt: prompt files, read into a list of steps and rendered. */
#include "search/prompt.h"

#include "elm/prompt.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 8
#define TICKS_MAX 32               /* a longer run of ` in a value is cut to it */
#define FENCE ELM_PROMPT_VALUES    /* a value that follows from all others */

enum keep { KEEP_ENDS, KEEP_HEAD, KEEP_TAIL };    /* of a value beyond its cap */

static const struct {
    const char *name;
    uint32_t cap;
    uint8_t keep;                  /* enum keep */
} values_known[ELM_PROMPT_VALUES + 1] = {
    [ELM_PROMPT_SUMMARY] = {"summary", 400, KEEP_HEAD},
    [ELM_PROMPT_DESCRIPTION] = {"description", 8192, KEEP_HEAD},
    [ELM_PROMPT_ENTRY] = {"entry", 1024, KEEP_HEAD},
    [ELM_PROMPT_LANGUAGE] = {"language", 32, KEEP_HEAD},
    [ELM_PROMPT_LIMITS] = {"limits", 2048, KEEP_HEAD},
    [ELM_PROMPT_PROGRAM] = {"program", 32768, KEEP_ENDS},
    [ELM_PROMPT_MARKERS] = {"markers", 64, KEEP_HEAD},
    [ELM_PROMPT_BLOCK] = {"block", 32768, KEEP_ENDS},
    [ELM_PROMPT_FITNESS] = {"fitness", 128, KEEP_HEAD},
    [ELM_PROMPT_TARGET] = {"target", 64, KEEP_HEAD},
    [ELM_PROMPT_MEASURES] = {"measures", 512, KEEP_HEAD},
    [ELM_PROMPT_WRONG] = {"wrong", 4096, KEEP_HEAD},
    [ELM_PROMPT_OTHER] = {"other", 32768, KEEP_ENDS},
    [ELM_PROMPT_OTHER_FITNESS] = {"other_fitness", 128, KEEP_HEAD},
    [ELM_PROMPT_BROKEN] = {"broken", 32768, KEEP_ENDS},
    [ELM_PROMPT_BROKEN_WHY] = {"broken_why", 1024, KEEP_HEAD},
    [ELM_PROMPT_PREFIX] = {"prefix", 32768, KEEP_TAIL},
    [ELM_PROMPT_SUFFIX] = {"suffix", 32768, KEEP_HEAD},
    [FENCE] = {"fence", TICKS_MAX + 1, KEEP_HEAD},
};

enum step_kind { STEP_TEXT, STEP_VALUE, STEP_IF, STEP_END };
struct step {
    uint8_t kind;                  /* enum step_kind */
    uint8_t value;
    uint32_t at, len;              /* STEP_TEXT: of the source */
    uint32_t to;                   /* STEP_IF: its STEP_END */
};

enum section { SECTION_NONE, SECTION_SYSTEM, SECTION_USER, SECTIONS };
static const char *const heads[SECTIONS] = {NULL, "[system]", "[user]"};

struct elm_prompt {
    char *name;
    struct elm_buf source;
    struct step *steps;
    uint32_t count, cap;
    uint32_t first[SECTIONS], end[SECTIONS];    /* steps of a section */
    bool loaded;
};

const char *elm_prompt_name(size_t i)
{
    return prompt_files[i].name;
}

struct elm_prompt *elm_prompt_new(const char *name)
{
    struct elm_prompt *p = elm_calloc(1, sizeof(*p));
    p->name = elm_strdup(name);
    return p;
}

void elm_prompt_free(void *prompt)
{
    struct elm_prompt *p = prompt;
    if (p == NULL)
        return;
    free(p->name);
    free(p->steps);
    elm_buf_release(&p->source);
    free(p);
}

struct elm_str elm_prompt_source(const struct elm_prompt *p)
{
    return elm_buf_str(&p->source);
}

/* ---- reading ---- */

struct reading {
    struct elm_prompt *p;
    const char *file;
    uint32_t line;                 /* of `at` */
    uint32_t at, end;              /* of the section's text that is left */
    uint32_t open[DEPTH_MAX], open_line[DEPTH_MAX];    /* STEP_IFs */
    uint32_t depth;
    struct elm_error *err;
};

static enum elm_status wrong(const struct reading *r, const char *what)
{
    return elm_fail(r->err, ELM_USAGE, "%s:%u: %s", r->file, r->line, what);
}

static uint32_t add_step(struct elm_prompt *p, struct step step)
{
    if (p->count == p->cap) {
        p->cap = p->cap == 0 ? 64 : p->cap * 2;
        p->steps = elm_realloc(p->steps, p->cap * sizeof(p->steps[0]));
    }
    p->steps[p->count] = step;
    return p->count++;
}

static void add_text(struct elm_prompt *p, uint32_t from, uint32_t to)
{
    if (to > from)
        add_step(p, (struct step){.kind = STEP_TEXT, .at = from, .len = to - from});
}

static int find_value(struct elm_str name)
{
    for (int i = 0; i <= FENCE; i++) {
        if (elm_str_equal(name, elm_str(values_known[i].name)))
            return i;
    }
    return -1;
}

static enum elm_status unknown_value(const struct reading *r, struct elm_str name)
{
    struct elm_buf known = {0};
    for (int i = 0; i <= FENCE; i++)
        elm_buf_printf(&known, "%s%s", i == 0 ? "" : " ", values_known[i].name);
    enum elm_status status = elm_fail(r->err, ELM_USAGE, "%s:%u: there is no value '%.*s'; values: %s",
                                      r->file, r->line, (int)(name.len < 40 ? name.len : 40),
                                      name.ptr, known.ptr);
    elm_buf_release(&known);
    return status;
}

/* {?name} and {/name}: opens or closes. */
static enum elm_status add_mark(struct reading *r, bool closes, int value)
{
    char text[160];
    if (!closes) {
        if (r->depth == DEPTH_MAX)
            return wrong(r, "more than 8 {?...} within each other");
        r->open_line[r->depth] = r->line;
        r->open[r->depth++] = add_step(r->p, (struct step){.kind = STEP_IF,
                                                           .value = (uint8_t)value});
        return ELM_OK;
    }
    if (r->depth == 0) {
        snprintf(text, sizeof(text), "'{/%s}' closes nothing", values_known[value].name);
        return wrong(r, text);
    }
    struct step *opened = &r->p->steps[r->open[r->depth - 1]];
    if (opened->value != value) {
        snprintf(text, sizeof(text), "'{/%s}' where '{/%s}' must come first",
                 values_known[value].name, values_known[opened->value].name);
        return wrong(r, text);
    }
    uint32_t end = add_step(r->p, (struct step){.kind = STEP_END});
    r->p->steps[r->open[--r->depth]].to = end;
    return ELM_OK;
}

/* A mark alone on its line goes with the whole line. Moves *from back and returns what follows. */
static uint32_t whole_line(const struct reading *r, uint32_t first, uint32_t *from, uint32_t next)
{
    const char *s = r->p->source.ptr;
    uint32_t start = *from, stop = next;
    while (start > first && (s[start - 1] == ' ' || s[start - 1] == '\t'))
        start--;
    while (stop < r->end && (s[stop] == ' ' || s[stop] == '\t'))
        stop++;
    bool begins = start == first || s[start - 1] == '\n';
    if (!begins || (stop < r->end && s[stop] != '\n'))
        return next;
    *from = start;
    return stop < r->end ? stop + 1 : stop;
}

/* The mark at `at`; *text is where the text before it, not yet added, begins. */
static enum elm_status read_mark(struct reading *r, uint32_t first, uint32_t at, uint32_t *text)
{
    const char *s = r->p->source.ptr;
    if (at + 1 < r->end && s[at + 1] == '{') {
        add_text(r->p, *text, at + 1);
        *text = r->at = at + 2;
        return ELM_OK;
    }
    bool opens = at + 1 < r->end && s[at + 1] == '?', closes = at + 1 < r->end && s[at + 1] == '/';
    uint32_t name = at + 1 + (opens || closes), end = name;
    while (end < r->end && ((s[end] >= 'a' && s[end] <= 'z') || s[end] == '_'))
        end++;
    if (end == name || end == r->end || s[end] != '}')
        return wrong(r, "a '{' that begins no {name}: write {{ for a brace");
    int value = find_value((struct elm_str){s + name, end - name});
    if (value < 0)
        return unknown_value(r, (struct elm_str){s + name, end - name});
    uint32_t next = end + 1;
    if (opens || closes)
        next = whole_line(r, first, &at, next);
    add_text(r->p, *text, at > *text ? at : *text);
    if (opens || closes)
        ELM_TRY(add_mark(r, closes, value));
    else
        add_step(r->p, (struct step){.kind = STEP_VALUE, .value = (uint8_t)value});
    for (uint32_t i = end; i < next; i++)
        r->line += s[i] == '\n';
    *text = r->at = next;
    return ELM_OK;
}

static enum elm_status read_section(struct reading *r)
{
    const char *s = r->p->source.ptr;
    while (r->at < r->end && s[r->at] == '\n')
        r->at++, r->line++;
    while (r->end > r->at && s[r->end - 1] == '\n')
        r->end--;
    uint32_t first = r->at, text = first;
    r->depth = 0;
    while (r->at < r->end) {
        if (s[r->at] == '{') {
            ELM_TRY(read_mark(r, first, r->at, &text));
        } else {
            r->line += s[r->at] == '\n';
            r->at++;
        }
    }
    add_text(r->p, text, r->end);
    if (r->depth > 0) {
        char what[160];
        const char *name = values_known[r->p->steps[r->open[r->depth - 1]].value].name;
        snprintf(what, sizeof(what), "'{?%s}' is never closed: '{/%s}' is missing", name, name);
        r->line = r->open_line[r->depth - 1];
        return wrong(r, what);
    }
    return ELM_OK;
}

/* Which head is this line? */
static enum section head_of(struct elm_str line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\t'))
        line.len--;
    for (int i = SECTION_SYSTEM; i < SECTIONS; i++) {
        if (elm_str_equal(line, elm_str(heads[i])))
            return (enum section)i;
    }
    return SECTION_NONE;
}

static struct elm_str line_at(const struct elm_buf *b, uint32_t at)
{
    const char *end = memchr(b->ptr + at, '\n', b->len - at);
    return (struct elm_str){b->ptr + at, end == NULL ? b->len - at : (size_t)(end - b->ptr) - at};
}

/* Where the next head stands, from `at` on; the end of the text if there is none. */
static uint32_t next_head(const struct elm_buf *b, uint32_t at, uint32_t *lines)
{
    while (at < b->len && head_of(line_at(b, at)) == SECTION_NONE) {
        at += (uint32_t)line_at(b, at).len + 1;
        ++*lines;
    }
    return at < b->len ? at : (uint32_t)b->len;
}

static enum elm_status read_all(struct reading *r)
{
    struct elm_prompt *p = r->p;
    bool seen[SECTIONS] = {false};
    uint32_t at = 0;
    while (at < p->source.len && head_of(line_at(&p->source, at)) == SECTION_NONE) {
        struct elm_str line = line_at(&p->source, at);
        if (line.len > 0 && line.ptr[0] != '#')
            return wrong(r, "words before the first [system] or [user]; comments there begin with #");
        at += (uint32_t)line.len + 1;
        r->line++;
    }
    while (at < p->source.len) {
        struct elm_str line = line_at(&p->source, at);
        enum section section = head_of(line);
        if (seen[section])
            return wrong(r, section == SECTION_USER ? "a second [user]" : "a second [system]");
        seen[section] = true;
        at += (uint32_t)line.len + 1;
        at = at < p->source.len ? at : (uint32_t)p->source.len;
        uint32_t next_line = ++r->line;
        uint32_t next = next_head(&p->source, at, &next_line);
        r->at = at;
        r->end = next;
        p->first[section] = p->count;
        ELM_TRY(read_section(r));
        p->end[section] = p->count;
        r->line = next_line;
        at = next;
    }
    if (!seen[SECTION_USER] || p->end[SECTION_USER] == p->first[SECTION_USER])
        return wrong(r, "there is no [user] section, or nothing in it");
    return ELM_OK;
}

/* Bytes of the UTF-8 character at s, 0 if there is none. */
static uint32_t character(const char *s, size_t len)
{
    const uint8_t *u = (const uint8_t *)s;
    if (u[0] < 0x80)
        return (u[0] >= 0x20 && u[0] != 0x7f) || u[0] == '\n' || u[0] == '\t';
    uint32_t n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    if (u[0] < 0xc2 || u[0] > 0xf4 || n > len)
        return 0;
    for (uint32_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90);
    bool beyond = (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf4 && u[1] > 0x8f);
    return overlong || beyond ? 0 : n;
}

/* The source without \r; every byte must be text. */
static enum elm_status copy_source(struct reading *r, struct elm_str text)
{
    for (size_t i = 0; i < text.len;) {
        if (text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n') {
            i++;
            continue;
        }
        uint32_t n = character(text.ptr + i, text.len - i);
        if (n == 0)
            return wrong(r, "a byte that is no UTF-8 text");
        elm_buf_add(&r->p->source, text.ptr + i, n);
        r->line += text.ptr[i] == '\n';
        i += n;
    }
    r->line = 1;
    return ELM_OK;
}

enum elm_status elm_prompt_parse(struct elm_prompt *p, const char *file, struct elm_str text,
                                 struct elm_error *err)
{
    ELM_ASSERT(!p->loaded);
    struct reading r = {.p = p, .file = file, .line = 1, .err = err};
    enum elm_status status = ELM_OK;
    if (text.len > ELM_PROMPT_FILE_BYTES_MAX)
        status = wrong(&r, "more than 64 KiB");
    if (status == ELM_OK)
        status = copy_source(&r, text);
    if (status == ELM_OK)
        status = read_all(&r);
    p->loaded = status == ELM_OK;
    if (!p->loaded) {
        elm_buf_clear(&p->source);
        p->count = 0;
        memset(p->first, 0, sizeof(p->first));
        memset(p->end, 0, sizeof(p->end));
    }
    return status;
}

/* ---- files ---- */

static const char *built_in(const char *name)
{
    for (size_t i = 0; prompt_files[i].name != NULL; i++) {
        if (strcmp(prompt_files[i].name, name) == 0)
            return prompt_files[i].text;
    }
    return NULL;
}

static enum elm_status check_folder(const char *folder, struct elm_error *err)
{
    struct stat st;
    if (stat(folder, &st) != 0)
        return elm_fail(err, ELM_USAGE, "the folder of prompts '%s': %s", folder, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return elm_fail(err, ELM_USAGE, "the folder of prompts '%s' is no folder", folder);
    return ELM_OK;
}

static enum elm_status load_file(struct elm_prompt *p, const char *path, bool *there,
                                 struct elm_error *err)
{
    struct stat st;
    *there = lstat(path, &st) == 0 || errno != ENOENT;
    if (!*there)
        return ELM_OK;
    struct elm_buf text = {0};
    enum elm_status status = elm_file_read(path, ELM_PROMPT_FILE_BYTES_MAX, &text, err);
    if (status == ELM_OK)
        status = elm_prompt_parse(p, path, elm_buf_str(&text), err);
    else if (err != NULL)
        err->status = ELM_USAGE;
    elm_buf_release(&text);
    return status == ELM_OK ? ELM_OK : ELM_USAGE;
}

enum elm_status elm_prompt_load(struct elm_prompt *p, const char *folder, struct elm_error *err)
{
    if (p->loaded)
        return ELM_OK;
    if (folder != NULL) {
        ELM_TRY(check_folder(folder, err));
        struct elm_buf path = {0};
        bool there;
        elm_buf_printf(&path, "%s/%s.txt", folder, p->name);
        enum elm_status status = load_file(p, path.ptr, &there, err);
        elm_buf_release(&path);
        if (there)
            return status;
    }
    const char *text = built_in(p->name);
    if (text == NULL)
        return elm_fail(err, ELM_USAGE, "there is no prompt '%.80s'", p->name);
    char file[96];
    snprintf(file, sizeof(file), "prompts/%.80s.txt", p->name);
    return elm_prompt_parse(p, file, elm_str(text), err);
}

static enum elm_status unknown_file(const char *folder, const char *file, struct elm_error *err)
{
    struct elm_buf known = {0};
    for (size_t i = 0; prompt_files[i].name != NULL; i++)
        elm_buf_printf(&known, "%s%s.txt", i == 0 ? "" : ", ", prompt_files[i].name);
    enum elm_status status = elm_fail(err, ELM_USAGE, "'%s/%.80s': no operator reads it; prompts are "
                                      "%s", folder, file, known.ptr);
    elm_buf_release(&known);
    return status;
}

enum elm_status elm_prompts_check(const char *folder, struct elm_error *err)
{
    ELM_TRY(check_folder(folder, err));
    struct dirent **files;
    int count = scandir(folder, &files, NULL, alphasort);
    if (count < 0)
        return elm_fail(err, ELM_USAGE, "the folder of prompts '%s': %s", folder, strerror(errno));
    enum elm_status status = ELM_OK;
    for (int i = 0; i < count; i++) {
        const char *file = files[i]->d_name;
        size_t len = strlen(file);
        if (status == ELM_OK && file[0] != '.' && len > 4 && strcmp(file + len - 4, ".txt") == 0) {
            char *name = elm_strndup(file, len - 4);
            struct elm_prompt *p = elm_prompt_new(name);
            status = built_in(name) == NULL ? unknown_file(folder, file, err)
                                            : elm_prompt_load(p, folder, err);
            elm_prompt_free(p);
            free(name);
        }
        free(files[i]);
    }
    free(files);
    return status;
}

/* ---- rendering ---- */

static uint32_t longest_ticks(struct elm_str s)
{
    uint32_t longest = 0, run = 0;
    for (size_t i = 0; i < s.len; i++) {
        run = s.ptr[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest < TICKS_MAX ? longest : TICKS_MAX;
}

static void add_clean(struct elm_buf *out, struct elm_str s)
{
    uint32_t ticks = 0;
    for (size_t i = 0; i < s.len;) {
        uint32_t n = character(s.ptr + i, s.len - i);
        ticks = s.ptr[i] == '`' ? ticks + 1 : 0;
        if (n > 0 && ticks <= TICKS_MAX)
            elm_buf_add(out, s.ptr + i, n);
        else if (n == 0 && !(s.ptr[i] == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n'))
            elm_buf_add(out, "\xef\xbf\xbd", 3);
        i += n > 0 ? n : 1;
    }
}

/* The cut that keeps whole lines, or at least whole characters. */
static size_t cut_head(struct elm_str s, size_t at)
{
    const char *line = memrchr(s.ptr + at / 2, '\n', at - at / 2);
    if (line != NULL)
        return (size_t)(line - s.ptr) + 1;
    while (at > 0 && ((uint8_t)s.ptr[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static size_t cut_tail(struct elm_str s, size_t at)
{
    const char *line = memchr(s.ptr + at, '\n', (s.len - at) / 2);
    if (line != NULL)
        return (size_t)(line - s.ptr) + 1;
    while (at < s.len && ((uint8_t)s.ptr[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static void add_value(struct elm_buf *out, int value, struct elm_str s)
{
    size_t cap = values_known[value].cap;
    if (s.len <= cap) {
        add_clean(out, s);
        return;
    }
    uint8_t keep = values_known[value].keep;
    size_t head = keep == KEEP_HEAD ? cap : keep == KEEP_TAIL ? 0 : cap / 3 * 2;
    size_t tail = keep == KEEP_HEAD ? 0 : keep == KEEP_TAIL ? cap : cap / 3;
    head = head == 0 ? 0 : cut_head(s, head);
    size_t from = tail == 0 ? s.len : cut_tail(s, s.len - tail);
    bool lines = head == 0 || s.ptr[head - 1] == '\n';
    add_clean(out, (struct elm_str){s.ptr, head});
    elm_buf_printf(out, "%s[... %zu bytes left out ...]%s", lines ? "" : " ", from - head,
                   tail == 0 ? "" : lines ? "\n" : " ");
    add_clean(out, (struct elm_str){s.ptr + from, s.len - from});
}

struct rendering {
    const struct elm_prompt *p;
    const struct elm_prompt_values *values;
    uint32_t ticks;                /* of a fence */
    size_t room;                   /* bytes that may still be written */
};

static bool render(struct rendering *r, enum section section, struct elm_buf *out)
{
    size_t start = out->len, words = start;
    for (uint32_t i = r->p->first[section]; i < r->p->end[section]; i++) {
        const struct step *s = &r->p->steps[i];
        if (s->kind == STEP_TEXT) {
            elm_buf_add(out, r->p->source.ptr + s->at, s->len);
        } else if (s->kind == STEP_VALUE && s->value == FENCE) {
            for (uint32_t k = 0; k < r->ticks; k++)
                elm_buf_byte(out, '`');
        } else if (s->kind == STEP_VALUE) {
            add_value(out, s->value, r->values->text[s->value]);
        } else if (s->kind == STEP_IF && s->value != FENCE &&
                   r->values->text[s->value].len == 0) {
            i = s->to;
        }
        if (s->kind == STEP_VALUE)
            words = out->len;
        if (out->len - start > r->room)
            return false;
    }
    /* what stands before a mark that was left out at the section's end */
    while (out->len > words && out->ptr[out->len - 1] == '\n')
        out->ptr[--out->len] = '\0';
    r->room -= out->len - start;
    return true;
}

static void cut_back(struct elm_buf *b, size_t len)
{
    if (b->ptr != NULL)
        b->ptr[len] = '\0';
    b->len = len;
}

enum elm_status elm_prompt_render(const struct elm_prompt *p,
                                  const struct elm_prompt_values *values,
                                  struct elm_request *request, struct elm_error *err)
{
    ELM_ASSERT(p->loaded);
    struct rendering r = {p, values, 2, ELM_PROMPT_BYTES_MAX};
    for (int i = 0; i < ELM_PROMPT_VALUES; i++) {
        uint32_t ticks = longest_ticks(values->text[i]);
        r.ticks = ticks > r.ticks ? ticks : r.ticks;
    }
    r.ticks++;
    size_t system = request->system.len, prompt = request->prompt.len;
    if (render(&r, SECTION_SYSTEM, &request->system) && render(&r, SECTION_USER, &request->prompt))
        return ELM_OK;
    cut_back(&request->system, system);
    cut_back(&request->prompt, prompt);
    return elm_fail(err, ELM_NOT_FOUND, "the prompt '%s' is beyond 256 KiB", p->name);
}
