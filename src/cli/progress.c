/* progress: when to draw, and the two plain forms. The screen's contents are in screen.c. */
#include "cli/progress.h"

#include "cli/json.h"
#include "cli/openness.h"
#include "cli/plot.h"
#include "cli/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SCREEN_US 200000
#define JSON_US 1000000
#define LINE_US 5000000
#define COLUMNS_MAX 78

static bool dumb(void)
{
    const char *terminal = getenv("TERM");
    return terminal == NULL || terminal[0] == '\0' || strcmp(terminal, "dumb") == 0;
}

bool progress_colour(FILE *stream)
{
    const char *no = getenv("NO_COLOR");
    return isatty(fileno(stream)) && !dumb() && (no == NULL || no[0] == '\0');
}

enum progress_how progress_choose(const char *how, bool quiet)
{
    if (how != NULL && strcmp(how, "json") == 0)
        return PROGRESS_JSON;
    if (quiet || (how != NULL && strcmp(how, "none") == 0))
        return PROGRESS_NONE;
    if (how != NULL && strcmp(how, "lines") == 0)
        return PROGRESS_LINES;
    return isatty(STDERR_FILENO) && !dumb() ? PROGRESS_SCREEN : PROGRESS_LINES;
}

void progress_open(struct progress *p, enum progress_how how, const struct progress_about *about)
{
    *p = (struct progress){.how = how, .to = stderr, .about = *about, .utf8 = plot_utf8(),
                           .colour = progress_colour(stderr), .first_us = elm_clock_us(),
                           .curve_every_us = 100000};
    p->rated_us = p->first_us;
}

double progress_seconds(const struct progress *p)
{
    return (double)(elm_clock_us() - p->first_us) / 1e6;
}

double progress_share(const struct progress *p, const struct elm_search_stats *s)
{
    double share = NAN;
    if (p->about.evaluations > 0)
        share = (double)s->evaluations / (double)p->about.evaluations;
    if (p->about.minutes > 0)
        share = fmax(share, (double)s->wall_us / 60e6 / p->about.minutes);
    return share > 1 ? 1 : share;
}

static void measure(struct progress *p, const struct elm_search_stats *s, int64_t now)
{
    double seconds = (double)(now - p->rated_us) / 1e6;
    if (seconds >= 0.5) {
        double rate = (double)(s->evaluations - p->rated_evaluations) / seconds;
        p->rate = p->rate == 0 ? rate : p->rate + (rate - p->rate) * fmin(1, seconds / 5);
        p->rated_us = now;
        p->rated_evaluations = s->evaluations;
    }
    while (now - p->first_us >= p->curve_us) {
        if (p->curve_count == PROGRESS_CURVE) {
            for (uint32_t i = 0; i < PROGRESS_CURVE / 2; i++)
                p->curve[i] = p->curve[2 * i + 1];
            p->curve_count = PROGRESS_CURVE / 2;
            p->curve_every_us *= 2;
        }
        p->curve[p->curve_count++] = s->archive.best;
        p->curve_us += p->curve_every_us;
    }
}

static void line(const struct progress *p, const struct elm_search_stats *s)
{
    double share = progress_share(p, s);
    double evaluations = s->evaluations == 0 ? NAN : (double)s->evaluations;
    struct elm_buf out = {0};
    elm_buf_printf(&out, "%s", text_time(progress_seconds(p)).s);
    if (!isnan(share))
        elm_buf_printf(&out, "  %s", text_percent(share).s);
    elm_buf_printf(&out, "  %s evaluations, %s/s, %s valid  %s %s", text_count(s->evaluations).s,
                   text_count((uint64_t)p->rate).s,
                   text_percent((double)s->ok / evaluations).s,
                   p->about.compares ? "wins in a row" : "best", text_number(s->archive.best).s);
    elm_buf_printf(&out, "  niches %u", s->archive.elites);
    if (s->archive.niches > 0)
        elm_buf_printf(&out, "/%u", s->archive.niches);
    for (uint32_t i = 0; i < s->operator_count; i++) {
        if (s->operators[i].idle_why == NULL)
            elm_buf_printf(&out, "  %s %s", s->operators[i].name,
                           text_percent(s->operators[i].share).s);
    }
    struct elm_openness_report open;
    elm_openness_report(p->about.openness, &open);
    if (open.class != ELM_OPENNESS_SHORT) {
        elm_buf_printf(&out, "  adopted %s innovations, drift %s", text_number(open.adopted).s,
                       text_number(open.shadow_adopted).s);
    }
    elm_openness_report_release(&open);
    fprintf(p->to, "%s\n", out.ptr);
    elm_buf_release(&out);
}

static void object(const struct progress *p, const struct elm_search_stats *s)
{
    json_t *operators = json_object();
    for (uint32_t i = 0; i < s->operator_count; i++) {
        const struct elm_operator_stats *o = &s->operators[i];
        if (o->idle_why != NULL) {
            json_object_set_new(operators, o->name, json_make("{ss}", "idle", o->idle_why));
            continue;
        }
        json_object_set_new(operators, o->name,
                            json_make("{sIsIsIsIsf}", "attempts", (json_int_t)o->attempts,
                                      "evaluations", (json_int_t)o->evaluations, "better",
                                      (json_int_t)o->better, "admitted", (json_int_t)o->admitted,
                                      "share", o->share));
    }
    struct elm_openness_report open;
    elm_openness_report(p->about.openness, &open);
    json_print(json_make("{sfsIsIsIsosososisososo}", "seconds", progress_seconds(p), "attempts",
                         (json_int_t)s->attempts, "evaluations", (json_int_t)s->evaluations, "ok",
                         (json_int_t)s->ok, "rate", json_number(p->rate), "share",
                         json_number(progress_share(p, s)), "best", json_number(s->archive.best),
                         "elites", (int)s->archive.elites, "qd_score",
                         json_number(s->archive.qd_score), "operators", operators,
                         "open_ended", openness_json(&open)),
               p->to, true);
    elm_openness_report_release(&open);
}

static void terminal_size(int fd, uint32_t *columns, uint32_t *rows)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    *columns = size.ws_col;
    *rows = size.ws_row;
}

/* Cuts a line to `columns`, colours kept whole, and adds it. Returns the columns it takes. */
static uint32_t add_cut(struct elm_buf *out, const char *text, size_t len, uint32_t columns)
{
    uint32_t used = 0;
    for (size_t i = 0, n; i < len; i += n) {
        bool escape = text[i] == '\x1b';
        n = 1;
        while (i + n < len && (escape ? text[i + n - 1] != 'm'
                                      : ((unsigned char)text[i + n] & 0xc0) == 0x80))
            n++;
        if (!escape && used == columns)
            continue;
        elm_buf_add(out, text + i, n);
        used += !escape;
    }
    return used;
}

/* Redraws in place. A frame is never wider than the terminal, so that a wider window keeps its
 * shape; after a narrower one the old frame may be wrapped, and a new one starts below it. */
static void draw(struct progress *p, const struct elm_search_stats *s)
{
    uint32_t columns, rows;
    terminal_size(fileno(p->to), &columns, &rows);
    uint32_t width = columns - 1 < COLUMNS_MAX ? columns - 1 : COLUMNS_MAX;
    struct elm_buf lines = {0}, frame = {0};
    screen_fill(p, s, width, &lines);
    bool in_place = (uint32_t)p->columns_drawn < columns && (uint32_t)p->lines_drawn < rows;
    if (p->lines_drawn > 0 && in_place)
        elm_buf_printf(&frame, "\x1b[%dA\r\x1b[J", p->lines_drawn);
    p->lines_drawn = 0;
    p->columns_drawn = 0;
    for (const char *at = lines.ptr; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, "\n");
        if ((uint32_t)p->lines_drawn + 1 < rows) {
            int used = (int)add_cut(&frame, at, len, width);
            p->columns_drawn = used > p->columns_drawn ? used : p->columns_drawn;
            elm_buf_byte(&frame, '\n');
            p->lines_drawn++;
        }
        at += len + (at[len] == '\n');
    }
    text_print(p->to, &frame);
    fflush(p->to);
    elm_buf_release(&frame);
    elm_buf_release(&lines);
}

static void show(struct progress *p, const struct elm_search_stats *s)
{
    if (p->how == PROGRESS_SCREEN)
        draw(p, s);
    else if (p->how == PROGRESS_LINES)
        line(p, s);
    else if (p->how == PROGRESS_JSON)
        object(p, s);
}

void progress_tell(struct progress *p, const struct elm_search_stats *s)
{
    static const int64_t every[] = {[PROGRESS_LINES] = LINE_US, [PROGRESS_SCREEN] = SCREEN_US,
                                    [PROGRESS_JSON] = JSON_US};
    if (p->how == PROGRESS_NONE)
        return;
    int64_t now = elm_clock_us();
    if (p->drawn_us == 0) {
        /* what earlier commands did is no rate of this one */
        p->first_evaluations = p->rated_evaluations = s->evaluations;
        p->drawn_us = p->how == PROGRESS_LINES ? now - LINE_US + 1000000 : 1;
    }
    measure(p, s, now);
    if (now - p->drawn_us < every[p->how])
        return;
    p->drawn_us = now;
    show(p, s);
}

void progress_close(struct progress *p, const struct elm_search_stats *s)
{
    if (p->how == PROGRESS_NONE)
        return;
    measure(p, s, elm_clock_us());
    double seconds = progress_seconds(p);
    if (seconds > 0)
        p->rate = (double)(s->evaluations - p->first_evaluations) / seconds;
    show(p, s);
}
