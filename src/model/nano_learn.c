/* nano_learn: loss and gradient of a handful of lessons. */
#include "model/nano_pupil.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum elm_status elm_nano_pupil_new(const struct elm_nano *n, enum elm_kernel kernel,
                                   struct elm_nano_pupil **out, struct elm_error *err)
{
    struct gemm_thread *thread;
    ELM_TRY(gemm_thread_new(kernel, &thread, err));
    struct elm_nano_pupil *p = elm_calloc(1, sizeof(*p));
    p->net = n;
    p->gemm = thread;
    p->rows = nano_rows_choose(kernel);
    p->program.stack = &n->program;
    p->steps.stack = &n->steps;
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

static void carve_side(struct elm_nano_pupil *p, struct nano_side *s, size_t qkv_rows, size_t shares)
{
    const size_t rows = NANO_ROUND(s->rows), d = s->stack->width, hidden = s->stack->hidden;
    for (uint32_t k = 0; k < p->net->config.layers; k++) {
        struct nano_kept *l = &s->kept[k];
        l->x1 = floats(p, rows * d);
        l->scale1 = floats(p, rows);
        l->n1 = floats(p, rows * d);
        l->qkv = floats(p, qkv_rows * 3 * d);
        l->shares = floats(p, shares);
        l->mixed = floats(p, rows * d);
        l->x2 = floats(p, rows * d);
        l->scale2 = floats(p, rows);
        l->n2 = floats(p, rows * d);
        l->up = floats(p, rows * hidden);
        l->squared = floats(p, rows * hidden);
    }
    s->x = floats(p, rows * d);
    s->last = floats(p, rows * d);
    s->scale = floats(p, rows);
    s->gx = floats(p, rows * d);
    s->glast = floats(p, rows * d);
}

static void carve(struct elm_nano_pupil *p)
{
    const size_t rows = NANO_ROUND(p->program.rows), steps = NANO_ROUND(p->steps.rows), all = rows + steps;
    const size_t nodes = NANO_ROUND(p->node_count), cases = NANO_ROUND(p->case_count);
    const size_t points = NANO_ROUND(p->point_count), tokens = NANO_ROUND(p->token_count);
    const size_t d = p->net->program.width, e = p->net->steps.width;
    p->used = 0;
    carve_side(p, &p->program, rows, p->share_count);
    carve_side(p, &p->steps, all, p->step_share_count);
    for (uint32_t k = 0; k < p->net->config.layers; k++)
        p->prefix[k] = floats(p, rows * 2 * e);
    p->step_qkv = floats(p, steps * 3 * e);
    p->pointed = floats(p, steps * d);
    p->joined = floats(p, nodes * e);
    p->keys = floats(p, nodes * e);
    p->queries = floats(p, points * e);
    p->heads = floats(p, tokens * e);
    p->logits = floats(p, tokens * NANO_LOGITS);
    p->node_features = floats(p, nodes * NANO_NODE_FEATURES);
    p->case_features = floats(p, cases * NANO_CASE_FEATURES);
    p->node_rows = floats(p, nodes * d);
    p->case_rows = floats(p, cases * d);
    p->g1 = floats(p, all * d);
    p->g2 = floats(p, all * p->net->program.hidden);
    p->gqkv = floats(p, all * 3 * d);
    p->gkeys = floats(p, nodes * e);
    p->gqueries = floats(p, points * e);
    p->gprefix = floats(p, rows * 2 * e);
    p->gstep_qkv = floats(p, steps * 3 * e);
    p->scratch = floats(p, 32 * p->stride_max + 1024);
    p->relations = take(p, p->relation_count + 64);
    p->step_relations = take(p, p->step_relation_count + 64);
    p->point_steps = take(p, points * sizeof(uint32_t));
    p->token_steps = take(p, tokens * sizeof(uint32_t));
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
    p->program.rows = p->steps.rows = p->node_count = p->case_count = p->point_count = p->token_count = 0;
    p->share_count = p->relation_count = p->step_share_count = p->step_relation_count = p->stride_max = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_nano_lesson *l = lessons[i];
        struct nano_span *s = &p->spans[i];
        *s = (struct nano_span){.first = p->program.rows, .cases = l->prefix.case_count,
                                .nodes = l->prefix.node_count, .first_node = p->node_count,
                                .first_case = p->case_count, .first_step = p->steps.rows,
                                .steps = l->step_count, .shares = p->share_count,
                                .relations = p->relation_count, .step_shares = p->step_share_count,
                                .step_relations = p->step_relation_count};
        s->rows = s->cases + s->nodes;
        s->stride = NANO_ROUND(s->rows);
        s->all = s->rows + s->steps;
        s->wide = NANO_ROUND(s->all);
        p->program.rows += s->rows;
        p->node_count += s->nodes;
        p->case_count += s->cases;
        p->steps.rows += s->steps;
        for (uint32_t k = 0; k < l->step_count; k++) {
            p->point_count += l->learn[k] && l->point[k];
            p->token_count += l->learn[k] && !l->point[k];
        }
        p->share_count += (size_t)p->net->program.width / NANO_HEAD * s->rows * s->stride;
        p->relation_count += (size_t)s->rows * s->stride;
        p->step_share_count += (size_t)p->net->steps.width / NANO_HEAD * s->steps * s->wide;
        p->step_relation_count += (size_t)s->steps * s->wide;
        p->stride_max = s->wide > p->stride_max ? s->wide : p->stride_max;
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

static void gather(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons)
{
    uint32_t points = 0, tokens = 0;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct nano_span *s = &p->spans[i];
        const struct elm_nano_lesson *l = lessons[i];
        memcpy(p->node_features + (size_t)s->first_node * NANO_NODE_FEATURES, l->prefix.features,
               (size_t)s->nodes * NANO_NODE_FEATURES * sizeof(float));
        memcpy(p->case_features + (size_t)s->first_case * NANO_CASE_FEATURES, l->prefix.cases,
               (size_t)s->cases * NANO_CASE_FEATURES * sizeof(float));
        nano_relations(&l->prefix, s->stride, p->relations + s->relations);
        for (uint32_t k = 0; k < s->steps; k++) {
            uint8_t *row = p->step_relations + s->step_relations + (size_t)k * s->wide;
            nano_step_relations(&l->prefix, &l->steps[k], row);
            memset(row + s->rows, NANO_REL_STEP, s->wide - s->rows);
            row[s->rows + k] = NANO_REL_SELF;
            if (k > 0)
                row[s->rows + k - 1] = NANO_REL_LAST_STEP;
            if (l->learn[k] && l->point[k])
                p->point_steps[points++] = s->first_step + k;
            else if (l->learn[k])
                p->token_steps[tokens++] = s->first_step + k;
        }
    }
}

/* Features and ids to the first rows of programs. */
static void embed(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons)
{
    const struct elm_nano *n = p->net;
    const uint32_t d = n->program.width;
    nano_linear(p, p->node_features, n->node, p->node_count, d, NANO_NODE_FEATURES, false, p->node_rows);
    nano_linear(p, p->case_features, n->cases, p->case_count, d, NANO_CASE_FEATURES, false, p->case_rows);
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct nano_span *s = &p->spans[i];
        const struct nano_prefix *l = &lessons[i]->prefix;
        float *row = nano_row(p->program.x, &p->program, s->first);
        memcpy(row, p->case_rows + (size_t)s->first_case * d, s->cases * d * sizeof(float));
        for (uint32_t k = 0; k < s->cases; k++, row += d) {
            uint16_t ids[2] = {(uint16_t)(NANO_ID_CASE + k),
                               (uint16_t)(NANO_ID_CASE + NANO_CASES + l->opaque)};
            nano_embed(n, &n->program, p->rows, ids, 2, row);
        }
        memcpy(row, p->node_rows + (size_t)s->first_node * d, (size_t)s->nodes * d * sizeof(float));
        for (uint32_t k = 0; k < s->nodes; k++, row += d)
            nano_embed(n, &n->program, p->rows, l->ids[k], NANO_IDS, row);
    }
}

/* The last rows of programs to what is pointed with and at. */
static void read_programs(struct elm_nano_pupil *p)
{
    const struct elm_nano *n = p->net;
    const uint32_t d = n->program.width;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct nano_span *s = &p->spans[i];
        memcpy(p->node_rows + (size_t)s->first_node * d,
               nano_row(p->program.last, &p->program, (size_t)s->first + s->cases),
               (size_t)s->nodes * d * sizeof(float));
    }
    nano_linear(p, p->node_rows, n->key, p->node_count, n->steps.width, d, false, p->keys);
}

/* The node that a step is at and ids to the first rows of steps. */
static void embed_steps(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons)
{
    const struct elm_nano *n = p->net;
    const uint32_t d = n->program.width;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct nano_span *s = &p->spans[i];
        float *to = p->pointed + (size_t)s->first_step * d;
        for (uint32_t k = 0; k < s->steps; k++, to += d) {
            uint32_t node = lessons[i]->steps[k].node;
            memset(to, 0, d * sizeof(float));
            if (node != UINT16_MAX)
                memcpy(to, p->node_rows + (size_t)(s->first_node + node) * d, d * sizeof(float));
        }
    }
    nano_linear(p, p->pointed, n->join, p->steps.rows, n->steps.width, d, false, p->steps.x);
    for (uint32_t i = 0; i < p->span_count; i++) {
        for (uint32_t k = 0; k < p->spans[i].steps; k++)
            nano_embed(n, &n->steps, p->rows, lessons[i]->steps[k].ids, NANO_STEP_IDS,
                       nano_row(p->steps.x, &p->steps, (size_t)p->spans[i].first_step + k));
    }
}

/* The last rows of steps to scores. */
static void read_steps(struct elm_nano_pupil *p)
{
    const struct elm_nano *n = p->net;
    const uint32_t e = n->steps.width;
    for (uint32_t k = 0; k < p->point_count; k++)
        memcpy(p->gqueries + (size_t)k * e, nano_row(p->steps.last, &p->steps, p->point_steps[k]), e * sizeof(float));
    nano_linear(p, p->gqueries, n->query, p->point_count, e, e, false, p->queries);
    for (uint32_t k = 0; k < p->token_count; k++)
        memcpy(p->heads + (size_t)k * e, nano_row(p->steps.last, &p->steps, p->token_steps[k]), e * sizeof(float));
    nano_linear(p, p->heads, n->head, p->token_count, NANO_LOGITS, e, false, p->logits);
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

static void point(struct elm_nano_pupil *p, const struct elm_nano_lesson *l, const struct nano_span *s,
                  uint32_t step, uint32_t which, float *gradient, struct elm_nano_report *report)
{
    const struct elm_nano *n = p->net;
    uint32_t d = n->steps.width, nodes = s->nodes;
    const float *q = p->queries + (size_t)which * d, *stop = n->weights + n->stop;
    float *gq = p->gqueries + (size_t)which * d, *scores = p->scratch;
    uint8_t allowed[NANO_NODES_MAX + 1];
    float scale = 1 / sqrtf((float)d);
    bool right;
    for (uint32_t j = 0; j <= nodes; j++) {
        const float *key = j < nodes ? p->keys + (size_t)(s->first_node + j) * d : stop;
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
        const float *key = j < nodes ? p->keys + (size_t)(s->first_node + j) * d : stop;
        float *gk = j < nodes ? p->gkeys + (size_t)(s->first_node + j) * d : gradient + n->stop;
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
    memset(p->gkeys, 0, (size_t)p->node_count * p->net->steps.width * sizeof(float));
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
    report->rows += p->program.rows + p->steps.rows;
}

/* ---- backward ---- */

/* To the gradient of the last rows: of steps, and what keys say of nodes. */
static void heads_back(struct elm_nano_pupil *p, float *gradient)
{
    const struct elm_nano *n = p->net;
    const uint32_t d = n->program.width, e = n->steps.width;
    struct nano_side *steps = &p->steps;
    float *rows = p->g2;                         /* as scratch: it has room */
    memset(steps->glast, 0, (size_t)steps->rows * e * sizeof(float));
    nano_linear_back(p, p->heads, p->logits, n->head, gradient, p->token_count, NANO_LOGITS, e, 0, rows);
    for (uint32_t k = 0; k < p->token_count; k++)
        p->rows->add(nano_row(steps->glast, steps, p->token_steps[k]), rows + (size_t)k * e, e);
    for (uint32_t k = 0; k < p->point_count; k++)
        memcpy(p->queries + (size_t)k * e, nano_row(steps->last, steps, p->point_steps[k]), e * sizeof(float));
    nano_linear_back(p, p->queries, p->gqueries, n->query, gradient, p->point_count, e, e, 0, rows);
    for (uint32_t k = 0; k < p->point_count; k++)
        p->rows->add(nano_row(steps->glast, steps, p->point_steps[k]), rows + (size_t)k * e, e);
    memset(p->program.glast, 0, (size_t)p->program.rows * d * sizeof(float));
    nano_linear_back(p, p->node_rows, p->gkeys, n->key, gradient, p->node_count, e, d, 0, rows);
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct nano_span *s = &p->spans[i];
        p->rows->add(nano_row(p->program.glast, &p->program, (size_t)s->first + s->cases),
                     rows + (size_t)s->first_node * d, (size_t)s->nodes * d);
    }
}

static void ids_back(struct elm_nano_pupil *p, const struct nano_stack *stack, const uint16_t *ids, uint32_t count,
                     const float *row, float *gradient)
{
    for (uint32_t k = 0; k < count; k++) {
        if (ids[k] != 0)
            p->rows->add(gradient + stack->embed + (size_t)ids[k] * stack->width, row, stack->width);
    }
}

static void embed_steps_back(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons,
                             float *gradient)
{
    const struct elm_nano *n = p->net;
    const uint32_t d = n->program.width;
    nano_linear_back(p, p->pointed, p->steps.gx, n->join, gradient, p->steps.rows, n->steps.width, d, 0, p->g1);
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct nano_span *s = &p->spans[i];
        for (uint32_t k = 0; k < s->steps; k++) {
            const struct nano_step *step = &lessons[i]->steps[k];
            const size_t at = (size_t)s->first_step + k;
            ids_back(p, &n->steps, step->ids, NANO_STEP_IDS, nano_row(p->steps.gx, &p->steps, at), gradient);
            if (step->node != UINT16_MAX)
                p->rows->add(nano_row(p->program.glast, &p->program, (size_t)s->first + s->cases + step->node),
                             p->g1 + at * d, d);
        }
    }
}

static void embed_back(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons,
                       float *gradient)
{
    const struct elm_nano *n = p->net;
    const uint32_t d = n->program.width;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct nano_span *s = &p->spans[i];
        const struct nano_prefix *l = &lessons[i]->prefix;
        const float *row = nano_row(p->program.gx, &p->program, s->first);
        memcpy(p->case_rows + (size_t)s->first_case * d, row, s->cases * d * sizeof(float));
        for (uint32_t k = 0; k < s->cases; k++, row += d) {
            uint16_t ids[2] = {(uint16_t)(NANO_ID_CASE + k),
                               (uint16_t)(NANO_ID_CASE + NANO_CASES + l->opaque)};
            ids_back(p, &n->program, ids, 2, row, gradient);
        }
        memcpy(p->node_rows + (size_t)s->first_node * d, row, (size_t)s->nodes * d * sizeof(float));
        for (uint32_t k = 0; k < s->nodes; k++, row += d)
            ids_back(p, &n->program, l->ids[k], NANO_IDS, row, gradient);
    }
    nano_linear_back(p, p->node_features, p->node_rows, n->node, gradient, p->node_count, d, NANO_NODE_FEATURES, 0,
                     NULL);
    nano_linear_back(p, p->case_features, p->case_rows, n->cases, gradient, p->case_count, d, NANO_CASE_FEATURES, 0,
                     NULL);
}

/* Programs as far as they can be read without an edit. */
static void read(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons, uint32_t count,
                 enum elm_precision precision)
{
    p->precision = precision;
    measure(p, lessons, count);
    gather(p, lessons);
    embed(p, lessons);
    nano_program_forward(p);
    read_programs(p);
}

void elm_nano_learn(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons,
                    uint32_t count, enum elm_precision precision, float *gradient,
                    struct elm_nano_report *report)
{
    if (count == 0)
        return;
    read(p, lessons, count, precision);
    embed_steps(p, lessons);
    nano_steps_forward(p);
    read_steps(p);
    losses(p, lessons, gradient, report);
    if (gradient == NULL)
        return;
    heads_back(p, gradient);
    nano_steps_back(p, gradient);
    embed_steps_back(p, lessons, gradient);
    nano_program_back(p, gradient);
    embed_back(p, lessons, gradient);
}

void nano_encode(struct elm_nano_pupil *p, const struct elm_nano_lesson *l,
                 const struct nano_packed *packed, struct nano_encoded *out)
{
    p->packed = packed;
    read(p, &l, 1, ELM_F32);
    nano_linear(p, p->node_rows, p->net->join, p->node_count, p->net->steps.width, p->net->program.width, false,
                p->joined);
    p->packed = NULL;
    out->joined = p->joined;
    out->keys = p->keys;
    for (uint32_t k = 0; k < p->net->config.layers; k++)
        out->prefix[k] = p->prefix[k];
}
