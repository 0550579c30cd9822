/* nano_learn: loss and gradient of a handful of lessons, all their rows in one matrix. */
#include "model/nano_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct span {
    uint32_t first, cases, nodes, steps, rows, stride;
    uint32_t first_node, first_case;     /* of the matrices of features */
    size_t shares, relations;
};
struct kept {                            /* of a layer, for the way back */
    float *x1, *scale1, *n1, *qkv, *shares, *mixed, *x2, *scale2, *n2, *up, *squared;
};
struct elm_nano_pupil {
    const struct elm_nano *net;
    struct gemm_thread *gemm;
    const struct nano_rows *rows;
    const struct nano_packed *packed;        /* NULL: the weights themselves are multiplied */
    enum elm_precision precision;
    struct span *spans;
    uint32_t span_count, span_cap;
    uint32_t row_count, node_count, case_count, point_count, token_count;
    size_t share_count, relation_count, stride_max;
    struct kept layers[NANO_LAYERS_MAX];
    float *x, *last, *scale, *keys, *queries, *logits, *heads;
    float *node_features, *case_features, *node_rows, *case_rows;
    float *gx, *g1, *g2, *gqkv, *gkeys, *gqueries;
    float *scratch;
    uint8_t *relations;
    uint32_t *point_rows, *token_rows;
    char *memory;
    size_t memory_size, used;
};

enum elm_status elm_nano_pupil_new(const struct elm_nano *n, enum elm_kernel kernel,
                                   struct elm_nano_pupil **out, struct elm_error *err)
{
    struct gemm_thread *thread;
    ELM_TRY(gemm_thread_new(kernel, &thread, err));
    struct elm_nano_pupil *p = elm_calloc(1, sizeof(*p));
    p->net = n;
    p->gemm = thread;
    p->rows = nano_rows_choose(kernel);
    *out = p;
    return ELM_OK;
}

void elm_nano_pupil_free(struct elm_nano_pupil *p)
{
    if (p == NULL)
        return;
    gemm_thread_free(p->gemm);
    free(p->spans);
    free(p->memory);
    free(p);
}

/* ---- memory ---- */

static void *take(struct elm_nano_pupil *p, size_t bytes)
{
    void *at = p->memory == NULL ? NULL : p->memory + p->used;
    p->used += (bytes + 63) / 64 * 64;
    return at;
}

static float *floats(struct elm_nano_pupil *p, size_t count)
{
    return take(p, count * sizeof(float));
}

static void carve(struct elm_nano_pupil *p)
{
    size_t rows = NANO_ROUND(p->row_count), nodes = NANO_ROUND(p->node_count);
    size_t d = p->net->config.width, hidden = p->net->config.hidden;
    p->used = 0;
    for (uint32_t k = 0; k < p->net->config.layers; k++) {
        struct kept *l = &p->layers[k];
        l->x1 = floats(p, rows * d);
        l->scale1 = floats(p, rows);
        l->n1 = floats(p, rows * d);
        l->qkv = floats(p, rows * 3 * d);
        l->shares = floats(p, p->share_count);
        l->mixed = floats(p, rows * d);
        l->x2 = floats(p, rows * d);
        l->scale2 = floats(p, rows);
        l->n2 = floats(p, rows * d);
        l->up = floats(p, rows * hidden);
        l->squared = floats(p, rows * hidden);
    }
    p->x = floats(p, rows * d);
    p->last = floats(p, rows * d);
    p->scale = floats(p, rows);
    p->keys = floats(p, nodes * d);
    p->queries = floats(p, (size_t)p->point_count * d);
    p->heads = floats(p, (size_t)p->token_count * d);
    p->logits = floats(p, (size_t)p->token_count * NANO_LOGITS);
    p->node_features = floats(p, (size_t)p->node_count * NANO_NODE_FEATURES);
    p->case_features = floats(p, (size_t)p->case_count * NANO_CASE_FEATURES);
    p->node_rows = floats(p, nodes * d);
    p->case_rows = floats(p, (size_t)p->case_count * d);
    p->gx = floats(p, rows * d);
    p->g1 = floats(p, rows * d);
    p->g2 = floats(p, rows * hidden);
    p->gqkv = floats(p, rows * 3 * d);
    p->gkeys = floats(p, (size_t)p->node_count * d);
    p->gqueries = floats(p, (size_t)p->point_count * d);
    p->scratch = floats(p, 32 * p->stride_max + 1024);
    p->relations = take(p, p->relation_count + 64);
    p->point_rows = take(p, (size_t)p->point_count * sizeof(uint32_t));
    p->token_rows = take(p, (size_t)p->token_count * sizeof(uint32_t));
}

static void measure(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons,
                    uint32_t count)
{
    if (p->span_cap < count) {
        free(p->spans);
        p->spans = elm_malloc(count * sizeof(p->spans[0]));
        p->span_cap = count;
    }
    p->span_count = count;
    p->row_count = p->node_count = p->case_count = p->point_count = p->token_count = 0;
    p->share_count = p->relation_count = p->stride_max = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_nano_lesson *l = lessons[i];
        struct span *s = &p->spans[i];
        *s = (struct span){.first = p->row_count, .cases = l->prefix.case_count,
                           .nodes = l->prefix.node_count, .steps = l->step_count,
                           .first_node = p->node_count, .first_case = p->case_count,
                           .shares = p->share_count, .relations = p->relation_count};
        s->rows = s->cases + s->nodes + s->steps;
        s->stride = (s->rows + 15) / 16 * 16;
        p->row_count += s->rows;
        p->node_count += s->nodes;
        p->case_count += s->cases;
        for (uint32_t k = 0; k < l->step_count; k++) {
            p->point_count += l->learn[k] && l->point[k];
            p->token_count += l->learn[k] && !l->point[k];
        }
        p->share_count += (size_t)p->net->heads * s->rows * s->stride;
        p->relation_count += (size_t)s->rows * s->stride;
        p->stride_max = s->stride > p->stride_max ? s->stride : p->stride_max;
    }
    p->memory_size = p->memory == NULL ? 0 : p->memory_size;
    carve(p);
    if (p->used > p->memory_size) {
        free(p->memory);
        p->memory_size = p->used + p->used / 4;
        p->memory = aligned_alloc(64, (p->memory_size + 63) / 64 * 64);
        ELM_ASSERT(p->memory != NULL);
        carve(p);
    }
}

/* ---- forward ---- */

static float *row_of(const struct elm_nano_pupil *p, float *rows, uint32_t row)
{
    return rows + (size_t)row * p->net->config.width;
}

static void gather(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons)
{
    uint32_t points = 0, tokens = 0;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct span *s = &p->spans[i];
        const struct elm_nano_lesson *l = lessons[i];
        memcpy(p->node_features + (size_t)s->first_node * NANO_NODE_FEATURES, l->prefix.features,
               (size_t)s->nodes * NANO_NODE_FEATURES * sizeof(float));
        memcpy(p->case_features + (size_t)s->first_case * NANO_CASE_FEATURES, l->prefix.cases,
               (size_t)s->cases * NANO_CASE_FEATURES * sizeof(float));
        uint8_t *relations = p->relations + s->relations;
        uint32_t prefix = s->cases + s->nodes;
        nano_relations(&l->prefix, s->stride, relations);
        for (uint32_t k = 0; k < s->steps; k++) {
            uint8_t *row = relations + (size_t)(prefix + k) * s->stride;
            nano_step_relations(&l->prefix, &l->steps[k], row);
            memset(row + prefix, NANO_REL_STEP, s->steps);
            row[prefix + k] = NANO_REL_SELF;
            if (k > 0)
                row[prefix + k - 1] = NANO_REL_LAST_STEP;
            if (l->learn[k] && l->point[k])
                p->point_rows[points++] = s->first + prefix + k;
            else if (l->learn[k])
                p->token_rows[tokens++] = s->first + prefix + k;
        }
    }
}

static void embed(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons)
{
    const struct elm_nano *n = p->net;
    uint32_t d = n->config.width;
    nano_forward(p->gemm, p->precision, p->node_features, NANO_NODE_FEATURES, n->weights + n->node,
                 p->node_count, d, NANO_NODE_FEATURES, 0, p->node_rows, d);
    nano_forward(p->gemm, p->precision, p->case_features, NANO_CASE_FEATURES,
                 n->weights + n->cases, p->case_count, d, NANO_CASE_FEATURES, 0, p->case_rows, d);
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct span *s = &p->spans[i];
        const struct elm_nano_lesson *l = lessons[i];
        float *row = row_of(p, p->x, s->first);
        memcpy(row, row_of(p, p->case_rows, s->first_case), s->cases * d * sizeof(float));
        for (uint32_t k = 0; k < s->cases; k++, row += d) {
            uint16_t ids[2] = {(uint16_t)(NANO_ID_CASE + k),
                               (uint16_t)(NANO_ID_CASE + NANO_CASES + l->prefix.opaque)};
            nano_embed(n, p->rows, ids, 2, row);
        }
        const float *nodes = row;
        memcpy(row, row_of(p, p->node_rows, s->first_node), s->nodes * d * sizeof(float));
        for (uint32_t k = 0; k < s->nodes; k++, row += d)
            nano_embed(n, p->rows, l->prefix.ids[k], NANO_IDS, row);
        for (uint32_t k = 0; k < s->steps; k++, row += d) {
            const struct nano_step *step = &l->steps[k];
            memset(row, 0, d * sizeof(float));
            if (step->node != UINT16_MAX)
                memcpy(row, nodes + (size_t)step->node * d, d * sizeof(float));
            nano_embed(n, p->rows, step->ids, ELM_COUNT(step->ids), row);
        }
    }
}

static struct nano_attention attention(const struct elm_nano_pupil *p, uint32_t i, uint32_t layer)
{
    const struct span *s = &p->spans[i];
    const struct kept *l = &p->layers[layer];
    size_t d = p->net->config.width;
    return (struct nano_attention){
        .rows = s->rows, .prefix = s->cases + s->nodes, .stride = s->stride, .width = (uint32_t)d,
        .qkv = l->qkv + s->first * 3 * d, .relations = p->relations + s->relations,
        .bias = p->net->weights + p->net->layers[layer].bias, .shares = l->shares + s->shares,
        .out = l->mixed + s->first * d, .scratch = p->scratch,
    };
}

/* out[rows][columns] = or += left[rows][depth] times weights. */
static void linear(struct elm_nano_pupil *p, const float *left, size_t weights, uint32_t rows,
                   uint32_t columns, uint32_t depth, bool add, float *out)
{
    if (p->packed != NULL)
        nano_multiply(p->packed, left, weights, rows, columns, depth, add, out);
    else
        nano_forward(p->gemm, p->precision, left, depth, p->net->weights + weights, rows, columns,
                     depth, add, out, columns);
}

static void forward(struct elm_nano_pupil *p)
{
    const struct elm_nano *n = p->net;
    uint32_t d = n->config.width, hidden = n->config.hidden, rows = p->row_count;
    for (uint32_t k = 0; k < n->config.layers; k++) {
        const struct nano_layer *w = &n->layers[k];
        struct kept *l = &p->layers[k];
        memcpy(l->x1, p->x, (size_t)rows * d * sizeof(float));
        p->rows->norm(l->x1, n->weights + w->norm1, rows, d, l->scale1, l->n1);
        linear(p, l->n1, w->qkv, rows, 3 * d, d, false, l->qkv);
        for (uint32_t i = 0; i < p->span_count; i++) {
            struct nano_attention a = attention(p, i, k);
            p->rows->attend(&a);
        }
        linear(p, l->mixed, w->out, rows, d, d, true, p->x);
        memcpy(l->x2, p->x, (size_t)rows * d * sizeof(float));
        p->rows->norm(l->x2, n->weights + w->norm2, rows, d, l->scale2, l->n2);
        linear(p, l->n2, w->up, rows, hidden, d, false, l->up);
        p->rows->square(l->up, (size_t)rows * hidden, l->squared);
        linear(p, l->squared, w->down, rows, d, hidden, true, p->x);
    }
    p->rows->norm(p->x, n->weights + n->norm, rows, d, p->scale, p->last);
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct span *s = &p->spans[i];
        memcpy(row_of(p, p->node_rows, s->first_node), row_of(p, p->last, s->first + s->cases),
               (size_t)s->nodes * d * sizeof(float));
    }
    linear(p, p->node_rows, n->key, p->node_count, d, d, false, p->keys);
    for (uint32_t k = 0; k < p->point_count; k++)
        memcpy(row_of(p, p->gqueries, k), row_of(p, p->last, p->point_rows[k]), d * sizeof(float));
    linear(p, p->gqueries, n->query, p->point_count, d, d, false, p->queries);
    for (uint32_t k = 0; k < p->token_count; k++)
        memcpy(row_of(p, p->heads, k), row_of(p, p->last, p->token_rows[k]), d * sizeof(float));
    linear(p, p->heads, n->head, p->token_count, NANO_LOGITS, d, false, p->logits);
}

/* ---- losses ---- */

/* Turns scores into their softmax, less 1 at the target. Returns the loss. */
static double cross_entropy(float *scores, const uint8_t *allowed, uint32_t count, uint32_t target,
                            bool *right)
{
    float most = -1e30f;
    double sum = 0, loss;
    uint32_t best = 0;
    for (uint32_t k = 0; k < count; k++) {
        if (allowed[k] && scores[k] > most) {
            most = scores[k];
            best = k;
        }
    }
    loss = most - scores[target];
    for (uint32_t k = 0; k < count; k++) {
        scores[k] = allowed[k] ? expf(scores[k] - most) : 0;
        sum += scores[k];
    }
    ELM_ASSERT(sum > 0);
    for (uint32_t k = 0; k < count; k++)
        scores[k] /= (float)sum;
    scores[target] -= 1;
    *right = best == target;
    return loss + log(sum);
}

/* What a decision counts, by its loss: nothing below the floor where it is pushed away. */
static float weigh(const struct elm_nano_lesson *l, double loss, struct elm_nano_report *report)
{
    double floor = -log(ELM_NANO_FLOOR);
    bool held = l->coefficient < 0 && loss > floor;
    report->objective += (double)l->coefficient * (held ? floor : loss);
    return held ? 0 : l->coefficient;
}

static void point(struct elm_nano_pupil *p, const struct elm_nano_lesson *l, const struct span *s,
                  uint32_t step, uint32_t which, float *gradient, struct elm_nano_report *report)
{
    const struct elm_nano *n = p->net;
    uint32_t d = n->config.width, nodes = s->nodes;
    const float *q = row_of(p, p->queries, which), *stop = n->weights + n->stop;
    float *gq = row_of(p, p->gqueries, which), *scores = p->scratch;
    uint8_t allowed[NANO_NODES_MAX + 1];
    float scale = 1 / sqrtf((float)d);
    bool right;
    for (uint32_t j = 0; j <= nodes; j++) {
        const float *key = j < nodes ? row_of(p, p->keys, s->first_node + j) : stop;
        float sum = 0;
        allowed[j] = j == nodes ? step > 0 : l->prefix.need[j] != NANO_NOTHING &&
                                                 j >= l->from[step] && j != l->not[step];
        for (uint32_t c = 0; allowed[j] && c < d; c++)
            sum += q[c] * key[c];
        scores[j] = sum * scale;
    }
    double loss = cross_entropy(scores, allowed, nodes + 1, l->targets[step], &right);
    float weight = weigh(l, loss, report);
    if (l->coefficient > 0) {
        report->loss += loss;
        report->point_loss += loss;
        report->points++;
        report->points_right += right;
        report->first_points += step == 0;
        report->first_points_right += step == 0 && right;
    }
    memset(gq, 0, d * sizeof(float));
    for (uint32_t j = 0; j <= nodes && gradient != NULL; j++) {
        const float *key = j < nodes ? row_of(p, p->keys, s->first_node + j) : stop;
        float *gk = j < nodes ? row_of(p, p->gkeys, s->first_node + j) : gradient + n->stop;
        float g = weight * scores[j] * scale;
        for (uint32_t c = 0; g != 0 && c < d; c++) {
            gq[c] += g * key[c];
            gk[c] += g * q[c];
        }
    }
}

static void losses(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons,
                   float *gradient, struct elm_nano_report *report)
{
    uint32_t points = 0, tokens = 0;
    bool right;
    memset(p->gkeys, 0, (size_t)p->node_count * p->net->config.width * sizeof(float));
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct elm_nano_lesson *l = lessons[i];
        report->pushed += l->coefficient < 0;
        for (uint32_t k = 0; k < l->step_count; k++) {
            if (!l->learn[k])
                continue;
            if (l->point[k]) {
                point(p, l, &p->spans[i], k, points++, gradient, report);
                continue;
            }
            uint8_t allowed[NANO_LOGITS];
            for (uint32_t t = 0; t < NANO_LOGITS; t++)
                allowed[t] = nano_mask_has(&l->masks[k], t);
            float *logits = p->logits + (size_t)tokens++ * NANO_LOGITS;
            double loss = cross_entropy(logits, allowed, NANO_LOGITS, l->targets[k], &right);
            float weight = weigh(l, loss, report);
            for (uint32_t t = 0; weight != 1 && t < NANO_LOGITS; t++)
                logits[t] *= weight;
            if (!(l->coefficient > 0))
                continue;
            report->loss += loss;
            report->token_loss += loss;
            report->tokens++;
            report->tokens_right += right;
        }
    }
    report->lessons += p->span_count;
    report->rows += p->row_count;
}

/* ---- backward ---- */

/* Gradients of a layer out = a * weights^T: of the weights (added), of a (beta * a + ...). */
static void back(struct elm_nano_pupil *p, const float *a, const float *out_gradient,
                 const float *weights, float *weight_gradient, uint32_t m, uint32_t n, uint32_t k,
                 float beta, float *a_gradient)
{
    if (m == 0)
        return;
    gemm(p->gemm, p->precision, &(struct gemm){.a = out_gradient, .b = a, .c = weight_gradient,
                                               .m = n, .n = k, .k = m, .a_stride = n,
                                               .b_stride = k, .c_stride = k, .a_turned = true,
                                               .beta = 1});
    if (a_gradient != NULL)
        gemm(p->gemm, p->precision, &(struct gemm){.a = out_gradient, .b = weights,
                                                   .c = a_gradient, .m = m, .n = k, .k = n,
                                                   .a_stride = n, .b_stride = k, .c_stride = k,
                                                   .beta = beta});
}

static void add_row(struct elm_nano_pupil *p, float *to, const float *from)
{
    p->rows->add(to, from, p->net->config.width);
}

/* To the gradient of the last rows, in g1. */
static void heads_back(struct elm_nano_pupil *p, float *gradient)
{
    const struct elm_nano *n = p->net;
    uint32_t d = n->config.width;
    float *w = n->weights, *rows = p->g2;        /* as scratch: it has room */
    memset(p->g1, 0, (size_t)p->row_count * d * sizeof(float));
    back(p, p->heads, p->logits, w + n->head, gradient + n->head, p->token_count, NANO_LOGITS, d, 0,
         rows);
    for (uint32_t k = 0; k < p->token_count; k++)
        add_row(p, row_of(p, p->g1, p->token_rows[k]), row_of(p, rows, k));
    for (uint32_t k = 0; k < p->point_count; k++)
        memcpy(row_of(p, p->queries, k), row_of(p, p->last, p->point_rows[k]), d * sizeof(float));
    back(p, p->queries, p->gqueries, w + n->query, gradient + n->query, p->point_count, d, d, 0,
         rows);
    for (uint32_t k = 0; k < p->point_count; k++)
        add_row(p, row_of(p, p->g1, p->point_rows[k]), row_of(p, rows, k));
    back(p, p->node_rows, p->gkeys, w + n->key, gradient + n->key, p->node_count, d, d, 0, rows);
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct span *s = &p->spans[i];
        p->rows->add(row_of(p, p->g1, s->first + s->cases), row_of(p, rows, s->first_node),
                     (size_t)s->nodes * d);
    }
}

static void layers_back(struct elm_nano_pupil *p, float *gradient)
{
    const struct elm_nano *n = p->net;
    uint32_t d = n->config.width, hidden = n->config.hidden, rows = p->row_count;
    float *w = n->weights;
    for (uint32_t k = n->config.layers; k-- > 0;) {
        const struct nano_layer *at = &n->layers[k];
        struct kept *l = &p->layers[k];
        back(p, l->squared, p->gx, w + at->down, gradient + at->down, rows, d, hidden, 0, p->g2);
        p->rows->square_back(l->up, (size_t)rows * hidden, p->g2);
        back(p, l->n2, p->g2, w + at->up, gradient + at->up, rows, hidden, d, 0, p->g1);
        p->rows->norm_back(l->x2, w + at->norm2, l->scale2, p->g1, rows, d, p->gx,
                           gradient + at->norm2);
        back(p, l->mixed, p->gx, w + at->out, gradient + at->out, rows, d, d, 0, p->g1);
        for (uint32_t i = 0; i < p->span_count; i++) {
            struct nano_attention a = attention(p, i, k);
            a.out_gradient = p->g1 + (size_t)p->spans[i].first * d;
            a.qkv_gradient = p->gqkv + (size_t)p->spans[i].first * 3 * d;
            a.bias_gradient = gradient + at->bias;
            p->rows->attend_back(&a);
        }
        back(p, l->n1, p->gqkv, w + at->qkv, gradient + at->qkv, rows, 3 * d, d, 0, p->g1);
        p->rows->norm_back(l->x1, w + at->norm1, l->scale1, p->g1, rows, d, p->gx,
                           gradient + at->norm1);
    }
}

static void ids_back(struct elm_nano_pupil *p, const uint16_t *ids, uint32_t count,
                     const float *row, float *gradient)
{
    for (uint32_t k = 0; k < count; k++) {
        if (ids[k] != 0)
            add_row(p, gradient + p->net->embed + (size_t)ids[k] * p->net->config.width, row);
    }
}

static void embed_back(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons,
                       float *gradient)
{
    const struct elm_nano *n = p->net;
    uint32_t d = n->config.width;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct span *s = &p->spans[i];
        const struct elm_nano_lesson *l = lessons[i];
        float *nodes = row_of(p, p->gx, s->first + s->cases), *row = nodes + (size_t)s->nodes * d;
        for (uint32_t k = 0; k < s->steps; k++, row += d) {
            ids_back(p, l->steps[k].ids, ELM_COUNT(l->steps[k].ids), row, gradient);
            if (l->steps[k].node != UINT16_MAX)
                add_row(p, nodes + (size_t)l->steps[k].node * d, row);
        }
        row = row_of(p, p->gx, s->first);
        for (uint32_t k = 0; k < s->cases; k++, row += d) {
            uint16_t ids[2] = {(uint16_t)(NANO_ID_CASE + k),
                               (uint16_t)(NANO_ID_CASE + NANO_CASES + l->prefix.opaque)};
            ids_back(p, ids, 2, row, gradient);
        }
        for (uint32_t k = 0; k < s->nodes; k++)
            ids_back(p, l->prefix.ids[k], NANO_IDS, nodes + (size_t)k * d, gradient);
        memcpy(row_of(p, p->case_rows, s->first_case), row_of(p, p->gx, s->first),
               (size_t)s->cases * d * sizeof(float));
        memcpy(row_of(p, p->node_rows, s->first_node), nodes, (size_t)s->nodes * d * sizeof(float));
    }
    back(p, p->node_features, p->node_rows, NULL, gradient + n->node, p->node_count, d,
         NANO_NODE_FEATURES, 0, NULL);
    back(p, p->case_features, p->case_rows, NULL, gradient + n->cases, p->case_count, d,
         NANO_CASE_FEATURES, 0, NULL);
}

void elm_nano_learn(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons,
                    uint32_t count, enum elm_precision precision, float *gradient,
                    struct elm_nano_report *report)
{
    const struct elm_nano *n = p->net;
    uint32_t d = n->config.width;
    if (count == 0)
        return;
    p->precision = precision;
    measure(p, lessons, count);
    gather(p, lessons);
    embed(p, lessons);
    forward(p);
    losses(p, lessons, gradient, report);
    if (gradient == NULL)
        return;
    heads_back(p, gradient);
    memset(p->gx, 0, (size_t)p->row_count * d * sizeof(float));
    p->rows->norm_back(p->x, n->weights + n->norm, p->scale, p->g1, p->row_count, d, p->gx,
                       gradient + n->norm);
    layers_back(p, gradient);
    embed_back(p, lessons, gradient);
}

void nano_encode(struct elm_nano_pupil *p, const struct elm_nano_lesson *l,
                 const struct nano_packed *packed, struct nano_encoded *out)
{
    p->precision = ELM_F32;
    p->packed = packed;
    measure(p, &l, 1);
    gather(p, &l);
    embed(p, &l);
    forward(p);
    p->packed = NULL;
    out->start = p->layers[0].x1;
    for (uint32_t k = 0; k < p->net->config.layers; k++)
        out->qkv[k] = p->layers[k].qkv;
    out->keys = p->keys;
}
