/* screen: the contents of the status screen. */
#include "cli/openness.h"
#include "cli/plot.h"
#include "cli/progress.h"
#include "cli/text.h"

#include <math.h>
#include <string.h>

#define LABEL 13

static const char *colour(const struct progress *p, const char *code)
{
    return p->colour ? code : "";
}
#define BOLD "\x1b[1m"
#define DIM "\x1b[2m"
#define GREEN "\x1b[32m"
#define PLAIN "\x1b[0m"

static void add_head(const struct progress *p, const struct elm_search_stats *s,
                     struct elm_buf *out)
{
    elm_buf_printf(out, "%selm%s ", colour(p, BOLD), colour(p, PLAIN));
    text_safe(out, elm_str(p->about.problem));
    elm_buf_printf(out, "   seed %llu   ", (unsigned long long)p->about.seed);
    text_safe(out, elm_str(p->about.folder));
    elm_buf_printf(out, "   sandbox level %d   %u %s%s\n", s->level, p->about.workers,
                   p->about.workers == 1 ? "worker" : "workers", s->noisy ? "   noisy" : "");
}

static void add_budget(const struct progress *p, const struct elm_search_stats *s,
                       uint32_t columns, struct elm_buf *out)
{
    double share = progress_share(p, s), seconds = progress_seconds(p);
    double left = NAN;
    if (p->about.minutes > 0)
        left = fmax(0, p->about.minutes * 60 - (double)s->wall_us / 1e6);
    if (p->about.evaluations > 0 && p->rate > 0) {
        double e = p->about.evaluations > s->evaluations
                       ? (double)(p->about.evaluations - s->evaluations) / p->rate : 0;
        left = fmin(left, e);
    }
    if (isnan(share)) {
        elm_buf_printf(out, "%-*s%s, no budget: Ctrl-C ends it\n", LABEL, "time",
                       text_time(seconds).s);
        return;
    }
    struct elm_buf tail = {0};
    elm_buf_printf(&tail, " %s   %s   %s left", text_percent(share).s, text_time(seconds).s,
                   text_time(left).s);
    uint32_t room = (uint32_t)tail.len;
    elm_buf_add_str(out, elm_str(colour(p, GREEN)));
    plot_bar(out, share, columns > room + 10 ? columns - room : 10, p->utf8);
    elm_buf_printf(out, "%s%s\n", colour(p, PLAIN), tail.ptr);
    elm_buf_release(&tail);
}

static void add_counts(const struct progress *p, const struct elm_search_stats *s,
                       uint32_t columns, struct elm_buf *out)
{
    double evaluations = s->evaluations == 0 ? NAN : (double)s->evaluations;
    elm_buf_printf(out, "%-*s%-12s %s/s   %s valid   %s attempts\n", LABEL, "evaluations",
                   text_count(s->evaluations).s, text_count((uint64_t)p->rate).s,
                   text_percent((double)s->ok / evaluations).s, text_count(s->attempts).s);
    size_t start = out->len;
    elm_buf_printf(out, "%-*s%s%-12s%s ", LABEL, p->about.compares ? "wins in a row" : "best",
                   colour(p, BOLD), text_number(s->archive.best).s, colour(p, PLAIN));
    if (!p->about.compares)
        elm_buf_printf(out, "seed %s   ", text_number(s->seed_fitness).s);
    if (!isnan(p->about.target))
        elm_buf_printf(out, "target %s   ", text_number(p->about.target).s);
    uint32_t used = text_columns((struct elm_str){out->ptr + start, out->len - start});
    if (columns > used + 8) {
        elm_buf_add_str(out, elm_str(colour(p, GREEN)));
        plot_spark(out, p->curve, p->curve_count, columns - used, p->utf8);
        elm_buf_add_str(out, elm_str(colour(p, PLAIN)));
    }
    elm_buf_printf(out, "\n%-*s%u", LABEL, "archive", s->archive.elites);
    if (s->archive.niches > 0) {
        elm_buf_printf(out, " of %u niches, %s", s->archive.niches,
                       text_percent(s->archive.coverage).s);
    }
    elm_buf_printf(out, "   mean %s\n", text_number(s->archive.mean).s);
}

static void add_operators(const struct progress *p, const struct elm_search_stats *s,
                          struct elm_buf *out)
{
    elm_buf_printf(out, "%s%-*s%8s %12s %9s %9s%s\n", colour(p, DIM), LABEL, "operator", "share",
                   "evaluations", "better", "admitted", colour(p, PLAIN));
    for (uint32_t i = 0; i < s->operator_count; i++) {
        const struct elm_operator_stats *o = &s->operators[i];
        elm_buf_printf(out, "  %-*.*s", LABEL - 2, LABEL - 3, o->name);
        if (o->idle_why != NULL) {
            elm_buf_printf(out, "%snot active: %s%s\n", colour(p, DIM), o->idle_why,
                           colour(p, PLAIN));
            continue;
        }
        double evaluations = o->evaluations == 0 ? NAN : (double)o->evaluations;
        elm_buf_printf(out, "%8s %12s %9s %9s\n", text_percent(o->share).s,
                       text_count(o->evaluations).s,
                       text_percent((double)o->better / evaluations).s,
                       text_percent((double)o->admitted / evaluations).s);
    }
}

static void add_openness(const struct progress *p, struct elm_buf *out)
{
    struct elm_openness_report r;
    elm_openness_report(p->about.openness, &r);
    if (r.class != ELM_OPENNESS_SHORT)
        elm_buf_printf(out, "%-*s%s\n", LABEL, "open-ended", openness_class(r.class));
    elm_openness_report_release(&r);
}

void screen_fill(const struct progress *p, const struct elm_search_stats *s, uint32_t columns,
                 struct elm_buf *out)
{
    add_head(p, s, out);
    add_budget(p, s, columns, out);
    add_counts(p, s, columns, out);
    add_openness(p, out);
    add_operators(p, s, out);
    elm_buf_printf(out, "%sCtrl-C saves and stops%s\n", colour(p, DIM), colour(p, PLAIN));
}
