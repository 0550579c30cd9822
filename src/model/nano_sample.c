/*
 * nano_sample: many different edits of one program at once. A beam of prefixes grows by a decision at
 * a time, all of them in one batch; each carries its log-probability with Gumbel noise, conditioned on
 * that of the prefix that it extends, and the largest survive: a sample without replacement.
 */
#include "model/nano_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_MAX 8192
#define STRIDE_MAX (NANO_NODES_MAX + 16)
#define ROOM_LEAST 4             /* nodes that must be left for another hole */

struct branch {
    double logprob, noisy;
    int32_t filled;              /* the last complete hole, in `holes`; -1: none */
    uint8_t hole_count;
    bool pointing, finished;
    uint16_t length;             /* steps computed */
    uint16_t room;
    struct nano_step next;       /* input of the step to compute */
    struct nano_hole hole;       /* being written, unless pointing */
    uint16_t path[NANO_STEPS_MAX];
};
struct filled {
    struct nano_hole hole;
    int32_t before;
};
struct candidate {
    double logprob, noisy;
    uint32_t branch, token;
};
struct elm_nano_sampler {
    const struct elm_nano *net;
    struct elm_nano_pupil *pupil;
    float *panels;                           /* all weights of layers and heads, at their place */
    const struct nano_rows *rows;
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
    struct branch *beam, *grown;
    uint32_t count;
    struct filled *holes;
    uint32_t hole_count, hole_cap;
    float *steps[NANO_LAYERS_MAX];           /* [step][3 * width] */
    uint32_t step_count, step_cap;
    float *x, *n, *mixed, *up, *scale, *logits, *queries, *scratch, *logprobs, *noisy;
    uint8_t *relations, *allowed;
    const uint16_t *paths[ELM_NANO_CHILDREN_MAX];
    struct candidate *candidates;
    uint32_t candidate_count;
    uint32_t active[ELM_NANO_CHILDREN_MAX];
};

static size_t round16(size_t n)
{
    return (n + 15) / 16 * 16;
}

static float *floats(size_t count)
{
    float *f = aligned_alloc(64, round16(count + 16) * sizeof(float));
    ELM_ASSERT(f != NULL);
    memset(f, 0, round16(count + 16) * sizeof(float));
    return f;
}

/* [rows][cols] to panels of 16 rows, [cols][16] each. */
static void pack(struct elm_nano_sampler *s)
{
    const struct elm_nano *n = s->net;
    s->panels = floats(n->size);
    for (uint32_t k = 0; k < n->tensor_count; k++) {
        const struct elm_nano_tensor *t = &n->tensors[k];
        for (uint32_t r = 0; t->matrix && r < t->rows; r++) {
            const float *row = n->weights + t->at + (size_t)r * t->cols;
            float *panel = s->panels + t->at + (size_t)(r / 16) * 16 * t->cols + r % 16;
            for (uint32_t c = 0; c < t->cols; c++)
                panel[(size_t)c * 16] = row[c];
        }
    }
}

static void multiply(struct elm_nano_sampler *s, const float *left, size_t weights, uint32_t rows,
                     uint32_t columns, uint32_t depth, bool add, float *out)
{
    s->rows->product(&(struct nano_product){
        .left = left, .panels = s->panels + weights, .out = out, .left_stride = depth,
        .out_stride = columns, .rows = rows, .columns = columns, .depth = depth, .add = add});
}

enum elm_status elm_nano_sampler_new(const struct elm_nano *n, enum elm_kernel kernel,
                                     struct elm_nano_sampler **out, struct elm_error *err)
{
    struct elm_nano_pupil *pupil;
    ELM_TRY(elm_nano_pupil_new(n, kernel, &pupil, err));
    struct elm_nano_sampler *s = elm_calloc(1, sizeof(*s));
    size_t rows = ELM_NANO_CHILDREN_MAX, d = n->config.width;
    s->net = n;
    s->pupil = pupil;
    pack(s);
    s->rows = nano_rows_choose(kernel);
    s->reader = nano_reader_new();
    s->lesson = elm_nano_lesson_new();
    s->beam = elm_malloc(rows * sizeof(s->beam[0]));
    s->grown = elm_malloc(rows * sizeof(s->grown[0]));
    s->candidates = elm_malloc(CANDIDATES_MAX * sizeof(s->candidates[0]));
    s->x = floats(rows * d);
    s->n = floats(rows * d);
    s->mixed = floats(rows * d);
    s->up = floats(rows * n->config.hidden);
    s->scale = floats(rows);
    s->logits = floats(rows * NANO_LOGITS);
    s->queries = floats(rows * d);
    s->scratch = floats(nano_glance_scratch(STRIDE_MAX, n->heads));
    s->logprobs = floats(NANO_NODES_MAX + 64);
    s->noisy = floats(NANO_NODES_MAX + 64);
    s->relations = elm_calloc(rows * STRIDE_MAX, 1);
    s->allowed = elm_calloc(NANO_NODES_MAX + NANO_LOGITS + 64, 1);
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
    void *owned[] = {s->panels, s->spots, s->spot_read, s->keys, s->values, s->beam, s->grown, s->holes,
                     s->x, s->n, s->mixed, s->up, s->scale, s->logits, s->queries, s->scratch,
                     s->logprobs, s->noisy, s->relations, s->allowed, s->candidates};
    for (uint32_t k = 0; k < ELM_COUNT(owned); k++)
        free(owned[k]);
    free(s);
}

/* ---- reading ---- */

/* Keys turned and values side by side, for each layer and head. */
static void keep_prefix(struct elm_nano_sampler *s)
{
    uint32_t d = s->net->config.width, layers = s->net->config.layers;
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
            const float *key = s->encoded.qkv[k] + (size_t)j * 3 * d + d, *value = key + d;
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
    nano_encode(s->pupil, s->lesson, &s->encoded);
    s->prefix = p->case_count + p->node_count;
    s->stride = (uint32_t)round16(s->prefix);
    keep_prefix(s);
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
    if (s->step_count + more <= s->step_cap)
        return;
    s->step_cap = (s->step_count + more) * 2;
    ELM_ASSERT(s->step_cap <= UINT16_MAX * 2u);
    for (uint32_t k = 0; k < s->net->config.layers; k++) {
        float *grown = floats((size_t)s->step_cap * 3 * s->net->config.width);
        if (s->steps[k] != NULL)
            memcpy(grown, s->steps[k],
                   (size_t)s->step_count * 3 * s->net->config.width * sizeof(float));
        free(s->steps[k]);
        s->steps[k] = grown;
    }
}

static void look(struct elm_nano_sampler *s, uint32_t layer, uint32_t rows)
{
    uint32_t d = s->net->config.width;
    size_t each = (size_t)d * s->stride;
    s->rows->glance(&(struct nano_glance){
        .rows = rows, .prefix = s->prefix, .stride = s->stride, .width = d,
        .steps = s->beam[s->active[0]].length + 1u,
        .qkv = s->steps[layer] + (size_t)s->step_count * 3 * d, .keys = s->keys + layer * each,
        .values = s->values + layer * each, .past = s->steps[layer], .paths = s->paths,
        .relations = s->relations, .bias = s->net->weights + s->net->layers[layer].bias,
        .out = s->mixed, .scratch = s->scratch,
    });
}

static void advance(struct elm_nano_sampler *s, uint32_t rows)
{
    const struct elm_nano *n = s->net;
    uint32_t d = n->config.width, hidden = n->config.hidden;
    const float *nodes = s->encoded.start + (size_t)s->lesson->prefix.case_count * d;
    reserve_steps(s, rows);
    for (uint32_t r = 0; r < rows; r++) {
        const struct nano_step *step = &s->beam[s->active[r]].next;
        float *x = s->x + (size_t)r * d;
        memset(x, 0, d * sizeof(float));
        if (step->node != UINT16_MAX)
            memcpy(x, nodes + (size_t)step->node * d, d * sizeof(float));
        nano_embed(n, step->ids, ELM_COUNT(step->ids), x);
        nano_step_relations(&s->lesson->prefix, step, s->relations + (size_t)r * s->stride);
        s->paths[r] = s->beam[s->active[r]].path;
    }
    for (uint32_t k = 0; k < n->config.layers; k++) {
        const struct nano_layer *w = &n->layers[k];
        s->rows->norm(s->x, n->weights + w->norm1, rows, d, s->scale, s->n);
        multiply(s, s->n, w->qkv, rows, 3 * d, d, false,
                 s->steps[k] + (size_t)s->step_count * 3 * d);
        look(s, k, rows);
        multiply(s, s->mixed, w->out, rows, d, d, true, s->x);
        s->rows->norm(s->x, n->weights + w->norm2, rows, d, s->scale, s->n);
        multiply(s, s->n, w->up, rows, hidden, d, false, s->up);
        s->rows->square(s->up, (size_t)rows * hidden, s->up);
        multiply(s, s->up, w->down, rows, d, hidden, true, s->x);
    }
    s->rows->norm(s->x, n->weights + n->norm, rows, d, s->scale, s->n);
    for (uint32_t r = 0; r < rows; r++) {
        struct branch *b = &s->beam[s->active[r]];
        b->path[b->length++] = (uint16_t)(s->step_count + r);
    }
    s->step_count += rows;
}

/* ---- decisions ---- */

static void offer(struct elm_nano_sampler *s, const struct branch *b, uint32_t at, uint32_t count,
                  double threshold)
{
    float most = -1e30f;
    for (uint32_t j = 0; j < count; j++)
        most = s->noisy[j] > most ? s->noisy[j] : most;
    if (most < -1e29f)
        return;
    /* noise given that the largest of the children has the prefix's own */
    double top = b->logprob + most, least = -INFINITY;
    double bound = exp(b->noisy - threshold) - 1 + exp(b->noisy - top);
    if (threshold > -1e29)
        least = bound > 0 ? b->noisy - log(bound) : -INFINITY;
    for (uint32_t j = 0; j < count; j++) {
        double noisy = b->logprob + s->noisy[j];
        /* the largest has the prefix's own noise, which rounding must not put below the bound */
        bool beaten = noisy < least && noisy < top;
        if (s->noisy[j] < -1e29f || beaten || s->candidate_count == CANDIDATES_MAX)
            continue;
        double v = b->noisy - noisy + log1p(-exp(noisy - top));
        double given = noisy >= top ? b->noisy
                                    : b->noisy - (v > 0 ? v : 0) - log1p(exp(-fabs(v)));
        s->candidates[s->candidate_count++] =
            (struct candidate){b->logprob + s->logprobs[j], given, at, j};
    }
}

/* The number of holes is drawn uniformly from 1 to 5: after hole h it ends with chance 1 / (6 - h). */
static void mix_stop(struct elm_nano_sampler *s, uint32_t holes, uint32_t nodes)
{
    double end = 1.0 / (NANO_HOLES_MAX + 1 - holes), stop = exp(s->logprobs[nodes]);
    float less = (float)log(1 - end), mixed = (float)log(end + (1 - end) * stop);
    for (uint32_t j = 0; j < nodes; j++) {
        s->logprobs[j] += less;
        s->noisy[j] += less;
    }
    s->noisy[nodes] += mixed - s->logprobs[nodes];
    s->logprobs[nodes] = mixed;
}

static void decide_point(struct elm_nano_sampler *s, const struct branch *b, uint32_t at,
                         const float *query, uint64_t seed, float temperature, double threshold)
{
    const struct nano_prefix *p = &s->lesson->prefix;
    uint32_t nodes = p->node_count, d = s->net->config.width, from = 0, not = UINT32_MAX;
    uint32_t count = (uint32_t)round16(nodes + 1);
    float scale = 1 / sqrtf((float)d), *scores = s->scratch;
    const float *stop = s->net->weights + s->net->stop;
    if (b->hole_count > 0)
        from = nano_hole_next(&s->holes[b->filled].hole, &not);
    for (uint32_t j = 0; j < count; j++) {
        const float *key = j < nodes ? s->encoded.keys + (size_t)j * d : stop;
        s->allowed[j] = j < nodes ? p->need[j] != NANO_NOTHING && p->at[j] >= from &&
                                        p->at[j] != not
                                  : j == nodes && b->hole_count > 0;
        float sum = 0;
        for (uint32_t c = 0; s->allowed[j] && c < d; c++)
            sum += query[c] * key[c];
        scores[j] = sum * scale;
    }
    s->rows->draw(&(struct nano_draw){scores, s->allowed, count, temperature, seed, s->logprobs,
                                      s->noisy});
    if (b->hole_count > 0)
        mix_stop(s, b->hole_count, nodes);
    offer(s, b, at, nodes + 1, threshold);
}

static void decide_token(struct elm_nano_sampler *s, const struct branch *b, uint32_t at,
                         const float *logits, uint64_t seed, float temperature, double threshold)
{
    struct nano_mask mask;
    nano_hole_mask(&b->hole, &mask);
    for (uint32_t t = 0; t < NANO_LOGITS; t++)
        s->allowed[t] = nano_mask_has(&mask, t);
    s->rows->draw(&(struct nano_draw){logits, s->allowed, NANO_LOGITS, temperature, seed,
                                      s->logprobs, s->noisy});
    offer(s, b, at, NANO_TOKENS, threshold);
}

static void decide(struct elm_nano_sampler *s, uint32_t rows, uint64_t seed, double temperature,
                   double threshold)
{
    const struct elm_nano *n = s->net;
    uint32_t d = n->config.width, points = 0, tokens = 0;
    for (uint32_t r = 0; r < rows; r++) {
        if (s->beam[s->active[r]].pointing)
            memcpy(s->mixed + (size_t)points++ * d, s->n + (size_t)r * d, d * sizeof(float));
        else
            memcpy(s->x + (size_t)tokens++ * d, s->n + (size_t)r * d, d * sizeof(float));
    }
    multiply(s, s->mixed, n->query, points, d, d, false, s->queries);
    multiply(s, s->x, n->head, tokens, NANO_LOGITS, d, false, s->logits);
    points = tokens = 0;
    for (uint32_t r = 0; r < rows; r++) {
        const struct branch *b = &s->beam[s->active[r]];
        uint64_t own = elm_hash_mix(seed, s->step_count - rows + r);
        if (b->pointing)
            decide_point(s, b, s->active[r], s->queries + (size_t)points++ * d, own,
                         (float)temperature, threshold);
        else
            decide_token(s, b, s->active[r], s->logits + (size_t)tokens++ * NANO_LOGITS, own,
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
    s->holes[s->hole_count].hole = b->hole;
    s->holes[s->hole_count].before = b->filled;
    b->filled = (int32_t)s->hole_count++;
    b->room = (uint16_t)(b->room > b->hole.size ? b->room - b->hole.size : 0);
    b->hole_count++;
    b->pointing = true;
    b->finished = b->hole_count == NANO_HOLES_MAX || b->room < ROOM_LEAST;
}

static void take(struct elm_nano_sampler *s, struct branch *b, const struct candidate *c)
{
    const struct nano_prefix *p = &s->lesson->prefix;
    b->logprob = c->logprob;
    b->noisy = c->noisy;
    if (!b->pointing) {
        nano_hole_put(&b->hole, c->token);
        nano_step_token(&b->next, p, &b->hole, b->hole_count);
        if (nano_hole_done(&b->hole))
            finish_hole(s, b);
    } else if (c->token == p->node_count) {
        b->finished = true;
    } else {
        nano_hole_open(&b->hole, spot_at(s, c->token), b->room);
        nano_step_point(&b->next, p, &b->hole, b->hole_count);
        b->pointing = false;
    }
}

static int by_noise(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->noisy != y->noisy)
        return x->noisy < y->noisy ? 1 : -1;
    if (x->branch != y->branch)
        return x->branch < y->branch ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

static void grow(struct elm_nano_sampler *s, uint32_t count)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->beam[i].finished && s->candidate_count < CANDIDATES_MAX)
            s->candidates[s->candidate_count++] = (struct candidate){
                s->beam[i].logprob, s->beam[i].noisy, i, UINT32_MAX};
    }
    qsort(s->candidates, s->candidate_count, sizeof(s->candidates[0]), by_noise);
    uint32_t kept = s->candidate_count < count ? s->candidate_count : count;
    for (uint32_t k = 0; k < kept; k++) {
        const struct candidate *c = &s->candidates[k];
        s->grown[k] = s->beam[c->branch];
        if (c->token != UINT32_MAX)
            take(s, &s->grown[k], c);
    }
    struct branch *swapped = s->beam;
    s->beam = s->grown;
    s->grown = swapped;
    s->count = kept;
}

uint32_t elm_nano_sample(struct elm_nano_sampler *s, uint64_t seed, uint32_t count,
                         double temperature)
{
    ELM_ASSERT(count > 0 && count <= ELM_NANO_CHILDREN_MAX && temperature > 0);
    s->step_count = s->hole_count = 0;
    s->count = 1;
    s->beam[0] = (struct branch){.pointing = true, .filled = -1, .room = (uint16_t)s->room};
    nano_step_start(&s->beam[0].next);
    while (s->count > 0) {
        uint32_t rows = 0;
        double threshold = s->count < count ? -1e30 : INFINITY;
        for (uint32_t i = 0; i < s->count; i++) {
            if (!s->beam[i].finished)
                s->active[rows++] = i;
            /* each prefix has a child as good as itself: what is worse than all of them is out */
            if (s->count == count && s->beam[i].noisy < threshold)
                threshold = s->beam[i].noisy;
        }
        if (rows == 0)
            break;
        s->candidate_count = 0;
        advance(s, rows);
        decide(s, rows, seed, temperature, threshold);
        grow(s, count);
    }
    return s->count;
}

uint32_t elm_nano_child(struct elm_nano_sampler *s, uint32_t i, struct elm_arena *arena,
                        struct elm_edit edits[ELM_EDITS_MAX], double *logprob)
{
    ELM_ASSERT(i < s->count);
    const struct branch *b = &s->beam[i];
    struct nano_hole holes[NANO_HOLES_MAX];
    int32_t at = b->filled;
    for (uint32_t k = b->hole_count; k-- > 0; at = s->holes[at].before)
        holes[k] = s->holes[at].hole;
    if (logprob != NULL)
        *logprob = b->logprob;
    return nano_edits(&s->program, holes, b->hole_count, arena, edits);
}
