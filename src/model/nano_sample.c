/*
 * nano_sample: many different edits of one program at once. Each prefix carries its log-probability with
 * Gumbel noise, conditioned on that of the prefix that it extends, so that it has the noise of its best
 * edit, and the edits of most noise are a sample without replacement. The front holds as many prefixes and
 * edits as are wanted, most noise first; those ahead in it grow first, a batch at a time, since they are
 * surely part of what is wanted: few rows are computed of prefixes that fall out later.
 */
#include "model/nano_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH NANO_GLANCES       /* prefixes that grow at once */
#define STRIDE_MAX (NANO_NODES_MAX + 16)
#define CANDIDATES_MAX (BATCH * STRIDE_MAX + ELM_NANO_CHILDREN_MAX)
#define POOL (2 * ELM_NANO_CHILDREN_MAX)
#define BINS 256
#define FAR 600                  /* e^FAR is still a number */
#define WORDS (STRIDE_MAX / 64 + 1)
#define ROOM_LEAST 4             /* nodes that must be left for another hole */

struct branch {
    double logprob, noisy;
    uint64_t seed;               /* of the noise of what comes next: of the decisions so far */
    int32_t filled;              /* the last complete hole, in `holes`; -1: none */
    uint8_t hole_count;
    bool pointing, finished;
    uint16_t length;             /* steps computed */
    uint16_t room;               /* nodes that edits may still put */
    uint32_t kept_end;           /* of the subtrees that got another kind and kept their kids: a hole before
                                    it is in one of them, and puts its nodes in the place of theirs */
    struct nano_step next;       /* input of the step to compute */
    uint16_t path[NANO_STEPS_MAX];
    struct nano_hole hole;       /* being written, unless pointing */
};
struct filled {
    struct nano_hole hole;
    int32_t before;
};
struct candidate {
    double logprob, noisy;
    uint32_t branch, token;      /* UINT32_MAX: the branch as it is */
};
struct order {
    uint64_t key;                /* less: more noise */
    uint32_t candidate;
};
struct elm_nano_sampler {
    const struct elm_nano *net;
    struct elm_nano_pupil *pupil;
    const struct nano_rows *rows;
    struct nano_packed packed;
    struct nano_reader *reader;
    struct nano_program program;
    struct elm_nano_lesson *lesson;
    struct elm_tree tree;                    /* a copy: children refer to it */
    struct nano_spot *spots;                 /* by row; read when first pointed at */
    bool *spot_read;
    uint32_t spot_cap, room;
    float *keys, *values;                    /* of each layer and head, for glances */
    size_t cache_cap;
    uint32_t prefix, stride;
    struct nano_encoded encoded;
    struct branch *pool;
    uint16_t front[ELM_NANO_CHILDREN_MAX], unused[POOL];     /* of the pool; front: most noise first */
    uint32_t count, unused_count;            /* count: in front */
    struct filled *holes;
    uint32_t hole_count, hole_cap;
    float *steps[NANO_LAYERS_MAX];           /* [step][3 * width] */
    uint32_t step_count, step_cap;
    float *x, *n, *mixed, *up, *scale, *logits, *queries, *scratch, *logprobs, *noisy;
    float *pointers;                         /* keys of nodes, and the stop, turned */
    uint8_t *relations;
    const uint16_t *paths[BATCH];
    uint16_t lengths[BATCH];
    struct candidate *candidates;
    struct order *order;                     /* twice as many, and one more that is looked at */
    uint32_t candidate_count;
    uint16_t active[BATCH];                  /* of the pool: what grows now */
};

static float *floats(size_t count)
{
    float *f = aligned_alloc(64, NANO_ROUND(count + 16) * sizeof(float));
    ELM_ASSERT(f != NULL);
    memset(f, 0, NANO_ROUND(count + 16) * sizeof(float));
    return f;
}

static void pack(struct elm_nano_sampler *s)
{
    const struct elm_nano *n = s->net;
    s->packed.panels = floats(n->size);
    for (uint32_t k = 0; k < n->tensor_count; k++) {
        const struct elm_nano_tensor *t = &n->tensors[k];
        if (t->matrix)
            s->packed.products->pack(n->weights + t->at, t->rows, t->cols,
                                      s->packed.panels + t->at);
    }
}

enum elm_status elm_nano_sampler_new(const struct elm_nano *n, enum elm_kernel kernel,
                                     struct elm_nano_sampler **out, struct elm_error *err)
{
    struct elm_nano_pupil *pupil;
    ELM_TRY(elm_nano_pupil_new(n, kernel, &pupil, err));
    struct elm_nano_sampler *s = elm_calloc(1, sizeof(*s));
    size_t rows = BATCH, d = n->steps.width;
    s->net = n;
    s->pupil = pupil;
    s->rows = nano_rows_choose(kernel);
    s->packed.products = nano_products_choose(kernel);
    pack(s);
    s->reader = nano_reader_new();
    s->lesson = elm_nano_lesson_new();
    s->pool = elm_malloc(POOL * sizeof(s->pool[0]));
    s->candidates = elm_malloc(CANDIDATES_MAX * sizeof(s->candidates[0]));
    s->order = elm_calloc(2 * CANDIDATES_MAX + 1, sizeof(s->order[0]));
    s->x = floats(rows * d);
    s->n = floats(rows * d);
    s->mixed = floats(rows * d);
    s->up = floats(rows * n->steps.hidden);
    s->scale = floats(rows);
    s->logits = floats(rows * NANO_LOGITS);
    s->queries = floats(rows * d);
    s->scratch = floats(nano_glance_scratch(STRIDE_MAX, n->steps.width / NANO_HEAD));
    s->logprobs = floats(NANO_NODES_MAX + 64);
    s->noisy = floats(NANO_NODES_MAX + 64);
    s->relations = elm_calloc(rows * STRIDE_MAX, 1);
    s->pointers = floats(d * STRIDE_MAX);
    *out = s;
    return ELM_OK;
}

void elm_nano_sampler_free(struct elm_nano_sampler *s)
{
    if (s == NULL)
        return;
    elm_nano_pupil_free(s->pupil);
    nano_reader_free(s->reader);
    nano_program_release(&s->program);
    elm_nano_lesson_free(s->lesson);
    elm_tree_release(&s->tree);
    for (uint32_t k = 0; k < NANO_LAYERS_MAX; k++)
        free(s->steps[k]);
    void *owned[] = {s->packed.panels, s->spots, s->spot_read, s->keys, s->values, s->pool, s->holes,
                     s->x, s->n, s->mixed, s->up, s->scale, s->logits, s->queries, s->scratch,
                     s->logprobs, s->noisy, s->relations, s->pointers, s->candidates, s->order};
    for (uint32_t k = 0; k < ELM_COUNT(owned); k++)
        free(owned[k]);
    free(s);
}

/* ---- reading ---- */

/* Keys turned and values side by side, for each layer and head. */
static void keep_prefix(struct elm_nano_sampler *s)
{
    uint32_t d = s->net->steps.width, layers = s->net->config.layers;
    size_t each = (size_t)d * s->stride;
    if (s->cache_cap < layers * each) {
        free(s->keys);
        free(s->values);
        s->cache_cap = layers * each * 2;
        s->keys = floats(s->cache_cap);
        s->values = floats(s->cache_cap);
    }
    memset(s->keys, 0, layers * each * sizeof(float));
    memset(s->values, 0, layers * each * sizeof(float));
    for (uint32_t k = 0; k < layers; k++) {
        for (uint32_t j = 0; j < s->prefix; j++) {
            const float *key = s->encoded.prefix[k] + (size_t)j * 2 * d, *value = key + d;
            for (uint32_t c = 0; c < d; c += NANO_HEAD) {
                float *head = s->keys + k * each + (size_t)c * s->stride;
                float *turned = head + (j / 16) * 16 * NANO_HEAD + j % 16;
                for (uint32_t i = 0; i < NANO_HEAD; i++)
                    turned[(size_t)i * 16] = key[c + i];
                memcpy(s->values + k * each + (size_t)c * s->stride + (size_t)j * NANO_HEAD,
                       value + c, NANO_HEAD * sizeof(float));
            }
        }
    }
}

/* Keys of pointers, turned; the stop is the last of them. */
static void keep_pointers(struct elm_nano_sampler *s)
{
    uint32_t d = s->net->steps.width, nodes = s->lesson->prefix.node_count;
    size_t stride = NANO_ROUND(nodes + 1);
    memset(s->pointers, 0, d * stride * sizeof(float));
    for (uint32_t j = 0; j <= nodes; j++) {
        const float *key = j < nodes ? s->encoded.keys + (size_t)j * d
                                     : s->net->weights + s->net->stop;
        for (uint32_t c = 0; c < d; c++)
            s->pointers[c * stride + j] = key[c];
    }
}

bool elm_nano_read(struct elm_nano_sampler *s, const struct elm_problem *problem,
                   const struct elm_evidence *evidence, const struct elm_tree *tree,
                   const uint8_t *editable, bool opaque, struct elm_vm_memory *vm)
{
    elm_tree_release(&s->tree);
    s->tree = elm_tree_copy(tree);
    s->count = 0;
    nano_program_read(&s->program, &s->tree, problem->names, editable);
    nano_read(s->reader, &s->program, &problem->io, problem->fuel, evidence, opaque, vm,
              &s->lesson->prefix);
    const struct nano_prefix *p = &s->lesson->prefix;
    bool any = false;
    for (uint32_t j = 0; j < p->node_count; j++)
        any |= p->need[j] != NANO_NOTHING;
    if (!any)
        return false;
    uint32_t left = problem->nodes_max > tree->count ? problem->nodes_max - tree->count : 0;
    s->room = problem->edit_nodes_max < left + 8 ? problem->edit_nodes_max : left + 8;
    s->lesson->step_count = 0;
    nano_encode(s->pupil, s->lesson, &s->packed, &s->encoded);
    s->prefix = p->case_count + p->node_count;
    s->stride = (uint32_t)NANO_ROUND(s->prefix);
    keep_prefix(s);
    keep_pointers(s);
    if (s->spot_cap < p->node_count) {
        free(s->spots);
        free(s->spot_read);
        s->spot_cap = p->node_count + 32;
        s->spots = elm_malloc(s->spot_cap * sizeof(s->spots[0]));
        s->spot_read = elm_malloc(s->spot_cap);
    }
    memset(s->spot_read, 0, s->spot_cap);
    return true;
}

static const struct nano_spot *spot_at(struct elm_nano_sampler *s, uint32_t row)
{
    if (!s->spot_read[row]) {
        nano_spot_read(&s->spots[row], &s->program, s->lesson->prefix.at[row]);
        s->spot_read[row] = true;
    }
    return &s->spots[row];
}

/* ---- the network, one step for every active branch ---- */

static void reserve_steps(struct elm_nano_sampler *s, uint32_t more)
{
    /* products write rows of 16 */
    if (s->step_count + more + 16 <= s->step_cap)
        return;
    s->step_cap = (s->step_count + more + 16) * 2;
    ELM_ASSERT(s->step_cap <= UINT16_MAX * 2u);
    for (uint32_t k = 0; k < s->net->config.layers; k++) {
        float *grown = floats((size_t)s->step_cap * 3 * s->net->steps.width);
        if (s->steps[k] != NULL)
            memcpy(grown, s->steps[k],
                   (size_t)s->step_count * 3 * s->net->steps.width * sizeof(float));
        free(s->steps[k]);
        s->steps[k] = grown;
    }
}

static void look(struct elm_nano_sampler *s, uint32_t layer, uint32_t rows)
{
    uint32_t d = s->net->steps.width;
    size_t each = (size_t)d * s->stride;
    s->rows->glance(&(struct nano_glance){
        .rows = rows, .prefix = s->prefix, .stride = s->stride, .width = d,
        .steps = s->lengths,
        .qkv = s->steps[layer] + (size_t)s->step_count * 3 * d, .keys = s->keys + layer * each,
        .values = s->values + layer * each, .past = s->steps[layer], .paths = s->paths,
        .relations = s->relations, .bias = s->net->weights + s->net->steps.layers[layer].bias,
        .out = s->mixed, .scratch = s->scratch,
    });
}

static void advance(struct elm_nano_sampler *s, uint32_t rows)
{
    const struct elm_nano *n = s->net;
    uint32_t d = n->steps.width, hidden = n->steps.hidden;
    const float *nodes = s->encoded.joined;
    reserve_steps(s, rows);
    for (uint32_t r = 0; r < rows; r++) {
        const struct branch *b = &s->pool[s->active[r]];
        const struct nano_step *step = &b->next;
        float *x = s->x + (size_t)r * d;
        memset(x, 0, d * sizeof(float));
        if (step->node != UINT16_MAX)
            memcpy(x, nodes + (size_t)step->node * d, d * sizeof(float));
        nano_embed(n, &n->steps, s->rows, step->ids, NANO_STEP_IDS, x);
        nano_step_relations(&s->lesson->prefix, step, s->relations + (size_t)r * s->stride);
        s->paths[r] = b->path;
        s->lengths[r] = b->length + 1;
    }
    for (uint32_t k = 0; k < n->config.layers; k++) {
        const struct nano_layer *w = &n->steps.layers[k];
        s->rows->norm(s->x, n->weights + w->norm1, rows, d, s->scale, s->n);
        nano_multiply(&s->packed, s->n, w->qkv, rows, 3 * d, d, false,
                 s->steps[k] + (size_t)s->step_count * 3 * d);
        look(s, k, rows);
        nano_multiply(&s->packed, s->mixed, w->out, rows, d, d, true, s->x);
        s->rows->norm(s->x, n->weights + w->norm2, rows, d, s->scale, s->n);
        nano_multiply(&s->packed, s->n, w->up, rows, hidden, d, false, s->up);
        s->rows->square(s->up, (size_t)rows * hidden, s->up);
        nano_multiply(&s->packed, s->up, w->down, rows, d, hidden, true, s->x);
    }
    s->rows->norm(s->x, n->weights + n->steps.norm, rows, d, s->scale, s->n);
    for (uint32_t r = 0; r < rows; r++) {
        struct branch *b = &s->pool[s->active[r]];
        b->path[b->length++] = (uint16_t)(s->step_count + r);
    }
    s->step_count += rows;
}

/* ---- decisions ---- */

/* Decisions of one row: which there are, the largest with its noise. */
struct choice {
    uint64_t allowed[WORDS];
    uint32_t count;
    float most;
};

static void offer(struct elm_nano_sampler *s, const struct branch *b, uint32_t at,
                  const struct choice *c, double threshold)
{
    if (c->most < -1e29f)
        return;
    /* noise given that the largest of the children has the prefix's own */
    double top = b->logprob + c->most, least = -INFINITY;
    double room = exp(b->noisy - top), bound = exp(b->noisy - threshold) - 1 + room;
    if (threshold > -1e29)
        least = bound > 0 ? b->noisy - log(bound) : -INFINITY;
    /* below this for certain, whatever rounding does */
    float beaten_at = (float)(least - b->logprob - 1e-3 * (1 + fabs(least)));
    if (beaten_at > c->most)
        beaten_at = c->most;
    for (uint32_t w = 0; w * 64 < c->count; w++) {
        for (uint64_t left = c->allowed[w]; left != 0; left &= left - 1) {
            uint32_t j = w * 64 + (uint32_t)__builtin_ctzll(left);
            if (s->noisy[j] < beaten_at || s->noisy[j] < -1e29f)
                continue;
            double noisy = b->logprob + s->noisy[j];
            /* the largest has the prefix's own noise, which rounding must not put below the bound */
            if (noisy < least && noisy < top)
                continue;
            double given = noisy >= top ? b->noisy
                                        : b->noisy - log1p(room * expm1(fmin(top - noisy, FAR)));
            /* a file's weights may be so large that scores are no numbers */
            if (!isfinite(given))
                continue;
            s->candidates[s->candidate_count++] =
                (struct candidate){b->logprob + s->logprobs[j], given, at, j};
        }
    }
}

/* One hole in half of the children, since most programs lack one thing: the chance to end after each. */
static const double ends[NANO_HOLES_MAX] = {0.5, 0.4, 0.4, 0.5, 1};
/* And how far the model's own stop counts besides: after many it is too sure that nothing is left. */
static const double trusted[NANO_HOLES_MAX] = {1, 1, 0.9, 0.4, 1};

static void mix_stop(struct elm_nano_sampler *s, uint32_t holes, struct choice *c)
{
    uint32_t stop = c->count - 1;
    double end = ends[holes - 1], stopping = trusted[holes - 1] * exp(s->logprobs[stop]);
    double going_on = fmax(-expm1(s->logprobs[stop]), 1e-6);
    float less = (float)log((1 - end) * (1 - stopping) / going_on);
    float mixed = (float)log(end + (1 - end) * stopping);
    float most = s->noisy[stop] + (mixed - s->logprobs[stop]);
    s->noisy[stop] = most;
    s->logprobs[stop] = mixed;
    for (uint32_t j = 0; j < stop; j++) {
        if (!(c->allowed[j / 64] >> (j % 64) & 1))
            continue;
        s->logprobs[j] += less;
        s->noisy[j] += less;
        most = s->noisy[j] > most ? s->noisy[j] : most;
    }
    c->most = most;
}

static void draw(struct elm_nano_sampler *s, const float *logits, uint64_t seed, float temperature,
                 struct choice *c)
{
    c->most = s->rows->draw(&(struct nano_draw){logits, c->allowed, c->count, temperature, seed,
                                                s->logprobs, s->noisy});
}

/* Nodes of edits that a hole there makes superfluous: those of the kept kid. */
static uint32_t freed(const struct elm_nano_sampler *s, const struct branch *b, uint32_t row)
{
    const struct nano_prefix *p = &s->lesson->prefix;
    bool value = p->need[row] != NANO_STATEMENT && p->need[row] != NANO_BLOCK;
    return value && p->at[row] < b->kept_end ? s->tree.nodes[p->at[row]].size : 0;
}

static void decide_point(struct elm_nano_sampler *s, const struct branch *b, uint32_t at,
                         const float *query, float temperature, double threshold)
{
    const struct nano_prefix *p = &s->lesson->prefix;
    uint32_t nodes = p->node_count, d = s->net->steps.width, from = 0, not = UINT32_MAX;
    struct choice c = {.count = nodes + 1};
    if (b->hole_count > 0)
        from = nano_hole_next(&s->holes[b->filled].hole, &not);
    for (uint32_t j = 0; j < nodes; j++) {
        uint64_t may = p->need[j] != NANO_NOTHING && p->at[j] >= from && p->at[j] != not &&
                       (b->room >= ROOM_LEAST || freed(s, b, j) > 0);
        c.allowed[j / 64] |= may << (j % 64);
    }
    c.allowed[nodes / 64] |= (uint64_t)(b->hole_count > 0) << (nodes % 64);
    s->rows->point(&(struct nano_pointing){query, s->pointers, d, (uint32_t)NANO_ROUND(nodes + 1),
                                           1 / sqrtf((float)d), s->scratch});
    draw(s, s->scratch, b->seed, temperature, &c);
    if (b->hole_count > 0)
        mix_stop(s, b->hole_count, &c);
    offer(s, b, at, &c, threshold);
}

static void decide_token(struct elm_nano_sampler *s, const struct branch *b, uint32_t at,
                         const float *logits, float temperature, double threshold)
{
    struct choice c = {.count = NANO_TOKENS};
    struct nano_mask mask;
    nano_hole_mask(&b->hole, &mask);
    memcpy(c.allowed, mask.w, sizeof(mask.w));
    draw(s, logits, b->seed, temperature, &c);
    offer(s, b, at, &c, threshold);
}

static void decide(struct elm_nano_sampler *s, uint32_t rows, double temperature, double threshold)
{
    const struct elm_nano *n = s->net;
    uint32_t d = n->steps.width, points = 0, tokens = 0;
    for (uint32_t r = 0; r < rows; r++) {
        if (s->pool[s->active[r]].pointing)
            memcpy(s->mixed + (size_t)points++ * d, s->n + (size_t)r * d, d * sizeof(float));
        else
            memcpy(s->x + (size_t)tokens++ * d, s->n + (size_t)r * d, d * sizeof(float));
    }
    nano_multiply(&s->packed, s->mixed, n->query, points, d, d, false, s->queries);
    nano_multiply(&s->packed, s->x, n->head, tokens, NANO_LOGITS, d, false, s->logits);
    points = tokens = 0;
    for (uint32_t r = 0; r < rows; r++) {
        const struct branch *b = &s->pool[s->active[r]];
        if (b->pointing)
            decide_point(s, b, s->active[r], s->queries + (size_t)points++ * d,
                         (float)temperature, threshold);
        else
            decide_token(s, b, s->active[r], s->logits + (size_t)tokens++ * NANO_LOGITS,
                         (float)temperature, threshold);
    }
}

/* ---- growing ---- */

static void finish_hole(struct elm_nano_sampler *s, struct branch *b)
{
    if (s->hole_count == s->hole_cap) {
        s->hole_cap = s->hole_cap == 0 ? 256 : s->hole_cap * 2;
        s->holes = elm_realloc(s->holes, s->hole_cap * sizeof(s->holes[0]));
    }
    nano_hole_copy(&s->holes[s->hole_count].hole, &b->hole);
    s->holes[s->hole_count].before = b->filled;
    b->filled = (int32_t)s->hole_count++;
    b->room = (uint16_t)(b->room > b->hole.size ? b->room - b->hole.size : 0);
    uint32_t at = b->hole.spot->at;
    const uint32_t end = at + s->tree.nodes[at].size;
    if (b->hole.keeps && b->hole.form == 0 && end > b->kept_end)
        b->kept_end = end;
    b->hole_count++;
    b->pointing = true;
    b->finished = b->hole_count == NANO_HOLES_MAX || (b->room < ROOM_LEAST && at + 1 >= b->kept_end);
}

static void take(struct elm_nano_sampler *s, struct branch *b, const struct candidate *c)
{
    const struct nano_prefix *p = &s->lesson->prefix;
    b->logprob = c->logprob;
    b->noisy = c->noisy;
    b->seed = elm_hash_mix(b->seed, c->token);
    if (!b->pointing) {
        nano_hole_put(&b->hole, c->token);
        nano_step_token(&b->next, p, &b->hole, b->hole_count);
        if (nano_hole_done(&b->hole))
            finish_hole(s, b);
    } else if (c->token == p->node_count) {
        b->finished = true;
    } else {
        b->room = (uint16_t)(b->room + freed(s, b, c->token));
        nano_hole_open(&b->hole, spot_at(s, c->token), b->room);
        nano_step_point(&b->next, p, &b->hole, b->hole_count);
        b->pointing = false;
    }
}

/* Puts the candidates in `to` that may be among the first `count`, in the order of offers; returns how many. */
static uint32_t select_order(const struct elm_nano_sampler *s, uint32_t count, struct order *to)
{
    uint32_t bins[BINS] = {0}, below = 0, last = 0, kept = 0;
    double top = -INFINITY, low = INFINITY;
    for (uint32_t i = 0; i < s->candidate_count; i++) {
        top = s->candidates[i].noisy > top ? s->candidates[i].noisy : top;
        low = s->candidates[i].noisy < low ? s->candidates[i].noisy : low;
    }
    const double scale = top > low ? (BINS - 1) / (top - low) : 0;
    for (uint32_t i = 0; i < s->candidate_count; i++)
        bins[(uint32_t)((top - s->candidates[i].noisy) * scale)]++;
    while (last < BINS - 1 && (below += bins[last]) < count)
        last++;
    for (uint32_t i = 0; i < s->candidate_count; i++) {
        union { double d; uint64_t u; } bits = {.d = s->candidates[i].noisy};
        uint64_t up = bits.u >> 63 ? ~bits.u : bits.u | 1ull << 63;
        to[kept] = (struct order){~up, i};
        kept += (uint32_t)((top - bits.d) * scale) <= last;
    }
    return kept;
}

/* Most noise first, at least `most` of them if there are; of equals the one that was offered first. Returns
 * where the order is. */
static const struct order *sort(const struct elm_nano_sampler *s, uint32_t most)
{
    struct order *from = s->order, *to = s->order + CANDIDATES_MAX;
    const uint32_t count = select_order(s, most, from);
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t i = 0; i < count; i += 2 * width) {
            uint32_t half = i + width < count ? i + width : count;
            uint32_t end = half + width < count ? half + width : count;
            uint32_t a = i, b = half;
            for (uint32_t k = i; k < end; k++) {
                /* without branches, which nothing could predict */
                uint32_t left = (b == end) | ((a < half) & (from[a].key <= from[b].key));
                to[k] = from[left ? a : b];
                a += left;
                b += 1 - left;
            }
        }
        struct order *swapped = from;
        from = to;
        to = swapped;
    }
    return from;
}

static void copy_branch(struct branch *to, const struct branch *from)
{
    memcpy(to, from, offsetof(struct branch, path) + from->length * sizeof(from->path[0]));
    if (!from->pointing)
        nano_hole_copy(&to->hole, &from->hole);
}

/* Up to BATCH of those ahead; what is left and what is finished stays a candidate. */
static uint32_t choose(struct elm_nano_sampler *s)
{
    uint32_t rows = 0;
    s->candidate_count = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct branch *b = &s->pool[s->front[i]];
        if (!b->finished && rows < BATCH)
            s->active[rows++] = s->front[i];
        else
            s->candidates[s->candidate_count++] = (struct candidate){b->logprob, b->noisy, s->front[i], UINT32_MAX};
    }
    return rows;
}

static void grow(struct elm_nano_sampler *s, uint32_t rows, uint32_t count)
{
    const struct order *order = sort(s, count);
    const uint32_t old = s->count - rows;    /* the first candidates */
    s->count = s->candidate_count < count ? s->candidate_count : count;
    for (uint32_t k = 0; k < s->count; k++) {
        struct candidate *c = &s->candidates[order[k].candidate];
        if (c->token == UINT32_MAX) {
            s->front[k] = (uint16_t)c->branch;
            c->branch = UINT32_MAX;
            continue;
        }
        s->front[k] = s->unused[--s->unused_count];
        copy_branch(&s->pool[s->front[k]], &s->pool[c->branch]);
        take(s, &s->pool[s->front[k]], c);
    }
    for (uint32_t i = 0; i < old; i++) {
        if (s->candidates[i].branch != UINT32_MAX)
            s->unused[s->unused_count++] = (uint16_t)s->candidates[i].branch;
    }
    for (uint32_t r = 0; r < rows; r++)
        s->unused[s->unused_count++] = s->active[r];
}

uint32_t elm_nano_sample(struct elm_nano_sampler *s, uint64_t seed, uint32_t count,
                         double temperature)
{
    ELM_ASSERT(count > 0 && count <= ELM_NANO_CHILDREN_MAX && temperature > 0);
    s->step_count = s->hole_count = s->unused_count = 0;
    for (uint16_t k = 1; k < POOL; k++)
        s->unused[s->unused_count++] = k;
    s->count = 1;
    s->front[0] = 0;
    s->pool[0] = (struct branch){.seed = seed, .pointing = true, .filled = -1, .room = (uint16_t)s->room};
    nano_step_start(&s->pool[0].next);
    for (uint32_t rows; (rows = choose(s)) > 0;) {
        /* each prefix has an edit as good as itself: what is worse than all of them is out */
        double threshold = s->count < count ? -1e30 : s->pool[s->front[count - 1]].noisy;
        advance(s, rows);
        decide(s, rows, temperature, threshold);
        grow(s, rows, count);
    }
    return s->count;
}

uint32_t elm_nano_child(struct elm_nano_sampler *s, uint32_t i, struct elm_arena *arena,
                        struct elm_edit edits[ELM_EDITS_MAX], double *logprob)
{
    ELM_ASSERT(i < s->count);
    const struct branch *b = &s->pool[s->front[i]];
    struct nano_hole holes[NANO_HOLES_MAX];
    int32_t at = b->filled;
    for (uint32_t k = b->hole_count; k-- > 0; at = s->holes[at].before)
        holes[k] = s->holes[at].hole;
    if (logprob != NULL)
        *logprob = b->logprob;
    return nano_edits(&s->program, holes, b->hole_count, arena, edits);
}
