/*
 * openness: does a run go on adapting, and not merely moving? Statistics of its archive over
 * time, against shadow runs of the same births and deaths without selection.
 *
 *     struct elm_openness_def def = elm_default_openness_def();
 *     struct elm_openness *o = elm_openness_new(&def);
 *     search_def.changed = elm_openness_tell;      or elm_openness_read for a stored run
 *     search_def.changed_ctx = o;
 *     ...
 *     elm_openness_report(o, &report);
 *
 * The *individuals* are the places of the archive. The *components* of evolutionary activity are
 * innovations: each admitted program is one, and it is carried by every elite that descends from
 * it (through first parents), itself included. No program is read: any language will do.
 *
 * A *census* is taken every `interval` evaluations. The activity of a component grows at each by
 * the share of elites that carry it. A *shadow* has a birth where the run has one, of an elite
 * drawn at random, and a death where the run has one, of an elite drawn at random: what drift
 * alone would do. Where places are in groups (elm/coevolve.h: one a problem), births have parents
 * and deaths befall elites of the same group; copies into a group may come from any. Activity that a component gathers in its first ELM_OPENNESS_AGE censuses, and
 * that fewer than one of a hundred shadow components of about that time reach, is *new activity*;
 * the component is *adopted*. Source: Bedau, Snyder & Packard 1998; the median beside the mean:
 * Channon 2003.
 *
 * MODES, every ELM_OPENNESS_AGE censuses: programs that were elites at the one before and have
 * descendants now (the filter for persistence) are counted that did not pass last time (change),
 * that never passed (novelty); the largest one (complexity; its tree's nodes, an upper bound of
 * the sites that matter, since those take knock-outs); the entropy of their shares (ecology). The
 * same of the shadows says what the filter lets pass of drift. Source: Dolson et al. 2019.
 *
 * Not counted here: ANNECS (Wang et al. 2020), problems that no archived program solved when they
 * were made and one solved later. It is of a stream of problems: a cycle and a coevolution count it
 * (elm/cycle.h, elm/coevolve.h).
 */
#ifndef ELM_OPENNESS_H
#define ELM_OPENNESS_H

#include "elm/search.h"

#define ELM_OPENNESS_AGE 4
#define ELM_OPENNESS_INTERVAL_MIN 128    /* evaluations; a parent may be dead that long */
#define ELM_OPENNESS_SHADOWS_MAX 64

struct elm_openness_def {
    uint64_t interval;       /* evaluations between censuses; more once 256 are taken */
    uint32_t shadows;        /* 2 or more */
    uint64_t seed;           /* of the shadows */
    bool same_places;        /* a shadow's deaths befall the places that die in the run, whoever holds
                                them there: what drift does in an archive where a newcomer takes the
                                place of its own niche and of no other */
};
struct elm_openness_def elm_default_openness_def(void);

struct elm_openness;
struct elm_openness *elm_openness_new(const struct elm_openness_def *def);
void elm_openness_free(struct elm_openness *o);
/* One change of the archive, in the run's order: an elm_search_def.changed with `o` as its ctx. One
 * thread at a time. Changes of programs that were never added are passed over. */
void elm_openness_tell(void *o, const struct elm_change *change);

/* One world at one census; of the shadows the mean. */
struct elm_openness_side {
    double diversity;        /* components carried */
    double activity;         /* summed over them */
    double mean, median;     /* of a component carried */
    double adopted;          /* components that came of age with new activity */
    double new_activity;     /* theirs, per component carried */
    double change, novelty, ecology;       /* NaN between two MODES points */
};
struct elm_openness_point {
    uint64_t evaluations;
    uint32_t elites;
    struct elm_openness_side run, shadow;
    double threshold;        /* activity beyond which what comes of age is adopted */
    double complexity;       /* NaN between MODES points and outside core C */
};
/* By new activity in the second half of the censuses. */
enum elm_openness_class {
    ELM_OPENNESS_SHORT,      /* fewer than four times ELM_OPENNESS_AGE censuses */
    ELM_OPENNESS_NONE,       /* class 1: no more of it than in the shadows */
    ELM_OPENNESS_BOUNDED,    /* class 2: more, and its sum levels off */
    ELM_OPENNESS_UNBOUNDED,  /* class 3: more, and its sum goes on rising as far as the run goes */
};
struct elm_openness_report {
    struct elm_openness_point *points;     /* freed by elm_openness_report_release */
    uint32_t count;
    /* Components adopted in the second half: of the run, of the shadows, and how many standard
     * deviations of the shadows lie between. */
    double adopted, shadow_adopted, excess;
    /* Exponent of the power law that fits the sum of adoption above the shadows over the run; and of
     * it and of a hyperbola, the share of the variance left over. NaN where there is none. */
    double exponent, power_left, bounded_left;
    enum elm_openness_class class;
};
void elm_openness_report(const struct elm_openness *o, struct elm_openness_report *out);
void elm_openness_report_release(struct elm_openness_report *r);

/* A stored run, told again: takes what a replay takes. An interval of 0: 64 censuses, but not below
 * ELM_OPENNESS_INTERVAL_MIN. Fails: as elm_search_retell. */
enum elm_status elm_openness_read(const char *folder, const char *problems_path,
                                  const struct elm_openness_def *def, struct elm_openness **out,
                                  struct elm_error *err);

#endif
