/*
 * progress: what a person, or a program, sees of a run while it runs. Everything goes to standard
 * error: a status screen redrawn in place on a terminal, a plain line every few seconds
 * elsewhere, or one JSON object a line.
 */
#ifndef ELM_CLI_PROGRESS_H
#define ELM_CLI_PROGRESS_H

#include "elm/openness.h"

#include <stdio.h>

enum progress_how { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_SCREEN, PROGRESS_JSON };

/* Constant during the run; borrowed. */
struct progress_about {
    const char *problem, *folder;
    uint64_t seed;
    uint32_t workers;
    bool compares;                 /* fitness is a chain of wins */
    double target;                 /* NaN: none */
    uint64_t evaluations;          /* budgets; 0: none */
    double minutes;
    const struct elm_openness *openness;
};

#define PROGRESS_CURVE 256
struct progress {
    enum progress_how how;
    FILE *to;
    struct progress_about about;
    bool utf8, colour;
    int64_t first_us, drawn_us, rated_us;
    uint64_t first_evaluations, rated_evaluations;
    double rate;                   /* evaluations a second, smoothed */
    double curve[PROGRESS_CURVE];  /* best at even times */
    uint32_t curve_count;
    int64_t curve_every_us, curve_us;
    int lines_drawn, columns_drawn;
};

/* "auto" and so on to what is to be done here: a screen needs a terminal that moves its cursor. */
enum progress_how progress_choose(const char *how, bool quiet);
void progress_open(struct progress *p, enum progress_how how, const struct progress_about *about);
void progress_tell(struct progress *p, const struct elm_search_stats *s);
/* Leaves the last state on the screen, the cursor below it. */
void progress_close(struct progress *p, const struct elm_search_stats *s);

/* Lines of the screen, each ended by \n (screen.c). */
void screen_fill(const struct progress *p, const struct elm_search_stats *s, uint32_t columns,
                 struct elm_buf *out);
/* Share of the budget that is spent, 0..1; NaN without a budget. */
double progress_share(const struct progress *p, const struct elm_search_stats *s);
double progress_seconds(const struct progress *p);
/* Can this stream show colours? A terminal, not dumb, and no NO_COLOR. */
bool progress_colour(FILE *stream);

#endif
