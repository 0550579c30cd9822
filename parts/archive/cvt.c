/*
 * cvt: MAP-Elites over niches of about equal volume, as many as wanted whatever the number of
 * measures: the cells of a centroidal Voronoi tessellation of their box, found by Lloyd's
 * iterations on random points. Nearest centroids come from a k-d tree.
 * Source: Vassiliades et al. 2018, algorithm 1.
 */
#include "elm/cells.h"

#include <stdlib.h>
#include <string.h>

#define NICHES 1024
#define POINTS_MIN 25600
#define POINTS_NICHE 25          /* of random points a niche */
#define ITERATIONS 12
#define LEAF 8

/* In the unit box; coordinates beyond the number of measures are 0. */
struct place {
    double at[ELM_MEASURES_MAX];
};
struct site {
    struct place place;
    uint32_t niche;
};

struct cvt {
    uint32_t dimensions, niches;
    struct elm_measure measures[ELM_MEASURES_MAX];
    struct place *centroids;     /* [niches] */
    struct site *tree;           /* [niches]: in each range the middle one parts the others */
    struct elm_cells cells;
};

struct nearest {
    uint32_t niche;
    double squared;              /* distance */
};

static double squared_distance(const struct place *a, const struct place *b)
{
    double sum = 0;
    for (int d = 0; d < ELM_MEASURES_MAX; d++) {
        double gap = a->at[d] - b->at[d];
        sum += gap * gap;
    }
    return sum;
}

static int compare_sites(const void *a, const void *b, void *axis)
{
    const struct site *x = a, *y = b;
    double p = x->place.at[*(const uint32_t *)axis], q = y->place.at[*(const uint32_t *)axis];
    if (p != q)
        return p < q ? -1 : 1;
    return x->niche < y->niche ? -1 : 1;
}

static void sort_sites(struct site *sites, uint32_t count, uint32_t axis, uint32_t dimensions)
{
    if (count <= LEAF)
        return;
    qsort_r(sites, count, sizeof(sites[0]), compare_sites, &axis);
    uint32_t middle = count / 2, next = (axis + 1) % dimensions;
    sort_sites(sites, middle, next, dimensions);
    sort_sites(sites + middle + 1, count - middle - 1, next, dimensions);
}

static void build_tree(struct cvt *a)
{
    for (uint32_t i = 0; i < a->niches; i++)
        a->tree[i] = (struct site){a->centroids[i], i};
    sort_sites(a->tree, a->niches, 0, a->dimensions);
}

static void look_at(const struct site *site, const struct place *p, struct nearest *best)
{
    double squared = squared_distance(&site->place, p);
    if (squared < best->squared)
        *best = (struct nearest){site->niche, squared};
}

static void look_among(const struct site *sites, uint32_t count, uint32_t axis,
                       uint32_t dimensions, const struct place *p, struct nearest *best)
{
    if (count <= LEAF) {
        for (uint32_t i = 0; i < count; i++)
            look_at(&sites[i], p, best);
        return;
    }
    uint32_t middle = count / 2, next = (axis + 1) % dimensions;
    const struct site *after = sites + middle + 1;
    uint32_t after_count = count - middle - 1;
    double beyond = p->at[axis] - sites[middle].place.at[axis];
    look_at(&sites[middle], p, best);
    if (beyond < 0)
        look_among(sites, middle, next, dimensions, p, best);
    else
        look_among(after, after_count, next, dimensions, p, best);
    if (beyond * beyond >= best->squared)
        return;
    if (beyond < 0)
        look_among(after, after_count, next, dimensions, p, best);
    else
        look_among(sites, middle, next, dimensions, p, best);
}

/* A near guess makes it fast. */
static uint32_t nearest(const struct cvt *a, const struct place *p, uint32_t guess)
{
    struct nearest best = {guess, squared_distance(&a->centroids[guess], p)};
    look_among(a->tree, a->niches, 0, a->dimensions, p, &best);
    return best.niche;
}

/* Spread evenly from the start (Roberts 2018, the sequence R_d), so that few iterations do. */
static void scatter(struct cvt *a)
{
    /* the root of x^(d+1) = x + 1 */
    static const double root[] = {1.618033988749895, 1.324717957244746, 1.2207440846057596,
                                  1.1673039782614187};
    double step = 1;
    for (uint32_t d = 0; d < a->dimensions; d++) {
        step /= root[a->dimensions - 1];
        double at = 0.5;
        for (uint32_t i = 0; i < a->niches; i++) {
            at += step;
            at -= at >= 1;
            a->centroids[i].at[d] = at;
        }
    }
}

/* Each centroid goes to the middle of the points that are nearest to it. */
static void settle(struct cvt *a, const struct place *points, uint32_t *of, uint32_t count)
{
    struct place *sum = elm_calloc(a->niches, sizeof(sum[0]));
    uint32_t *members = elm_calloc(a->niches, sizeof(members[0]));
    build_tree(a);
    for (uint32_t i = 0; i < count; i++) {
        of[i] = nearest(a, &points[i], of[i]);
        members[of[i]]++;
        for (uint32_t d = 0; d < a->dimensions; d++)
            sum[of[i]].at[d] += points[i].at[d];
    }
    for (uint32_t k = 0; k < a->niches; k++) {
        for (uint32_t d = 0; d < a->dimensions && members[k] > 0; d++)
            a->centroids[k].at[d] = sum[k].at[d] / members[k];
    }
    free(sum);
    free(members);
}

static void tessellate(struct cvt *a)
{
    uint32_t count = a->niches * POINTS_NICHE;
    count = count < POINTS_MIN ? POINTS_MIN : count;
    struct place *points = elm_calloc(count, sizeof(points[0]));
    uint32_t *of = elm_calloc(count, sizeof(of[0]));
    struct elm_rng rng = elm_rng(0, a->dimensions);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t d = 0; d < a->dimensions; d++)
            points[i].at[d] = elm_rng_unit(&rng);
    }
    scatter(a);
    for (int i = 0; i < ITERATIONS; i++)
        settle(a, points, of, count);
    build_tree(a);
    free(points);
    free(of);
}

static void *cvt_make(const struct elm_problem *problem, double floor)
{
    struct cvt *a = elm_calloc(1, sizeof(*a));
    a->dimensions = problem->measure_count;
    a->niches = problem->niches > 0 ? problem->niches : NICHES;
    ELM_ASSERT(a->dimensions > 0 && a->dimensions <= ELM_MEASURES_MAX);
    memcpy(a->measures, problem->measures, sizeof(a->measures));
    a->centroids = elm_calloc(a->niches, sizeof(a->centroids[0]));
    a->tree = elm_calloc(a->niches, sizeof(a->tree[0]));
    tessellate(a);
    elm_cells_init(&a->cells, a->niches, 0, problem, floor);
    return a;
}

static void cvt_free(void *self)
{
    struct cvt *a = self;
    if (a == NULL)
        return;
    free(a->centroids);
    free(a->tree);
    elm_cells_release(&a->cells);
    free(a);
}

static struct elm_add_result cvt_add(void *self, const struct elm_entrant *x)
{
    struct cvt *a = self;
    struct place p = {0};
    for (uint32_t d = 0; d < a->dimensions; d++) {
        const struct elm_measure *m = &a->measures[d];
        double at = (x->evaluation->measures[d] - m->lo) / (m->hi - m->lo);
        /* written so that NaN lands at the low end */
        p.at[d] = at >= 1 ? 1 : at > 0 ? at : 0;
    }
    return elm_cells_add(&a->cells, nearest(a, &p, 0), x);
}

static uint32_t cvt_count(const void *self)
{
    return ((const struct cvt *)self)->cells.count;
}

static struct elm_elite *cvt_at(void *self, uint32_t index)
{
    struct cvt *a = self;
    ELM_ASSERT(index < a->cells.count);
    return &a->cells.elites[index];
}

static struct elm_elite *cvt_best(void *self)
{
    return elm_cells_best(&((struct cvt *)self)->cells);
}

static void cvt_stats(const void *self, struct elm_archive_stats *out)
{
    elm_cells_stats(&((const struct cvt *)self)->cells, out);
}

static uint64_t cvt_hash(const void *self)
{
    return elm_cells_hash(&((const struct cvt *)self)->cells);
}

/* Niches are numbers, which mean something only with the centroids that they were given by. */
static uint64_t centroids_hash(const struct cvt *a)
{
    return elm_hash(a->centroids, a->niches * sizeof(a->centroids[0]), 0);
}

static void cvt_save(const void *self, struct elm_buf *out)
{
    const struct cvt *a = self;
    uint64_t hash = centroids_hash(a);
    elm_buf_add(out, &hash, sizeof(hash));
    elm_cells_save(&a->cells, out);
}

static enum elm_status cvt_load(void *self, struct elm_reader *r, struct elm_error *err)
{
    struct cvt *a = self;
    uint64_t hash = centroids_hash(a);
    const void *saved = elm_read_bytes(r, sizeof(hash));
    if (saved == NULL || memcmp(saved, &hash, sizeof(hash)) != 0)
        return elm_fail(err, ELM_CORRUPT, "the snapshot has another tessellation of the measures");
    return elm_cells_load(&a->cells, r, err);
}

const struct elm_archive_kind elm_archive_cvt = {
    .name = "cvt",
    .summary = "MAP-Elites over 1,024 niches of equal volume, for up to 4 measures",
    .needs_measures = true,
    .make = cvt_make,
    .free = cvt_free,
    .add = cvt_add,
    .count = cvt_count,
    .at = cvt_at,
    .best = cvt_best,
    .stats = cvt_stats,
    .hash = cvt_hash,
    .save = cvt_save,
    .load = cvt_load,
};
