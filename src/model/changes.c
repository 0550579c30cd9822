/* changes: the net, and its file. */
#include "elm/changes.h"

#include "elm/gguf.h"

#include <math.h>
#include <string.h>

#define ARCHITECTURE "elm-changes"
#define SPREAD 0.2F              /* of random weights, to either side */

extern const uint8_t elm_changes_bytes[], elm_changes_bytes_end[];

void elm_changes_random(struct elm_changes *m, uint64_t seed)
{
    struct elm_rng rng = elm_rng(seed, 0x6368616e);
    *m = (struct elm_changes){0};
    for (uint32_t k = 0; k < ELM_CHANGES_HIDDEN; k++) {
        for (uint32_t i = 0; i < ELM_CLUES; i++)
            m->in[i][k] = SPREAD * (2 * (float)elm_rng_unit(&rng) - 1);
        m->out[k] = SPREAD * (2 * (float)elm_rng_unit(&rng) - 1);
    }
}

float elm_changes_score(const struct elm_changes *m, const float *clues, float *hidden)
{
    float h[ELM_CHANGES_HIDDEN], score = 0;
    uint8_t said[ELM_CLUES];     /* a fifth of them, in no order that a processor could guess */
    uint32_t count = 0;
    memcpy(h, m->bias, sizeof(h));
    for (uint32_t i = 0; i < ELM_CLUES; i++) {
        said[count] = (uint8_t)i;
        count += clues[i] != 0;
    }
    for (uint32_t n = 0; n < count; n++) {
        const uint32_t i = said[n];
        score += clues[i] * m->direct[i];
        for (uint32_t k = 0; k < ELM_CHANGES_HIDDEN; k++)
            h[k] += clues[i] * m->in[i][k];
    }
    for (uint32_t k = 0; k < ELM_CHANGES_HIDDEN; k++) {
        h[k] = h[k] > 0 ? h[k] : 0;
        score += h[k] * m->out[k];
    }
    if (hidden != NULL)
        memcpy(hidden, h, sizeof(h));
    return score;
}

void elm_changes_backward(const struct elm_changes *m, const float *clues, const float *hidden,
                          float by, struct elm_changes *g)
{
    float h[ELM_CHANGES_HIDDEN];
    for (uint32_t k = 0; k < ELM_CHANGES_HIDDEN; k++) {
        h[k] = hidden[k] > 0 ? by * m->out[k] : 0;
        g->out[k] += by * hidden[k];
        g->bias[k] += h[k];
    }
    for (uint32_t i = 0; i < ELM_CLUES; i++) {
        if (clues[i] == 0)
            continue;
        g->direct[i] += by * clues[i];
        for (uint32_t k = 0; k < ELM_CHANGES_HIDDEN; k++)
            g->in[i][k] += clues[i] * h[k];
    }
}

/* ---- the file ---- */

struct part {
    const char *name;
    uint64_t rows, cols;
    float *numbers;
};
#define PARTS 4

static void parts_of(struct elm_changes *m, struct part out[PARTS])
{
    out[0] = (struct part){"in", ELM_CLUES, ELM_CHANGES_HIDDEN, m->in[0]};
    out[1] = (struct part){"bias", 1, ELM_CHANGES_HIDDEN, m->bias};
    out[2] = (struct part){"out", 1, ELM_CHANGES_HIDDEN, m->out};
    out[3] = (struct part){"direct", 1, ELM_CLUES, m->direct};
}

enum elm_status elm_changes_write(const struct elm_changes *m, const char *description,
                                  const char *path, struct elm_error *err)
{
    struct elm_changes copy = *m;
    struct part parts[PARTS];
    uint64_t dims[PARTS][2];
    struct elm_gguf_writer *w = elm_gguf_writer_new();
    parts_of(&copy, parts);
    elm_gguf_put_string(w, "general.architecture", ELM_STR(ARCHITECTURE));
    elm_gguf_put_string(w, "general.name", ELM_STR("elm-taught"));
    elm_gguf_put_string(w, "general.description", elm_str(description));
    elm_gguf_put_string(w, "general.license", ELM_STR("MIT"));
    elm_gguf_put_int(w, ARCHITECTURE ".clues_version", ELM_CLUES_VERSION);
    for (uint32_t i = 0; i < PARTS; i++) {
        dims[i][0] = parts[i].cols;
        dims[i][1] = parts[i].rows;
        elm_gguf_put_tensor(w, parts[i].name, ELM_GGUF_F32, 2, dims[i], parts[i].numbers);
    }
    enum elm_status status = elm_gguf_write(w, path, err);
    elm_gguf_writer_free(w);
    return status;
}

static enum elm_status read_part(const struct elm_gguf *g, const struct part *p, struct elm_error *err)
{
    const struct elm_gguf_tensor *t = elm_gguf_tensor(g, p->name);
    if (t == NULL)
        return elm_fail(err, ELM_CORRUPT, "tensor '%s' is missing", p->name);
    if (t->type != ELM_GGUF_F32 || t->dim_count != 2 || t->dims[0] != p->cols || t->dims[1] != p->rows)
        return elm_fail(err, ELM_CORRUPT, "tensor '%s' is not %llu x %llu of f32", p->name,
                        (unsigned long long)p->rows, (unsigned long long)p->cols);
    memcpy(p->numbers, t->data, p->rows * p->cols * sizeof(float));
    for (uint64_t i = 0; i < p->rows * p->cols; i++) {
        if (!(fabsf(p->numbers[i]) < 1e6F))
            return elm_fail(err, ELM_CORRUPT, "tensor '%s' has a weight that is no number or too large", p->name);
    }
    return ELM_OK;
}

static enum elm_status load(const struct elm_gguf *g, struct elm_changes *out, struct elm_error *err)
{
    struct elm_str architecture = {"", 0};
    struct part parts[PARTS];
    int64_t version;
    elm_gguf_string(g, "general.architecture", &architecture);
    if (!elm_str_equal(architecture, ELM_STR(ARCHITECTURE)))
        return elm_fail(err, ELM_OUTSIDE, "general.architecture is '%.*s', not '" ARCHITECTURE "': no change model",
                        (int)architecture.len, architecture.ptr);
    if (!elm_gguf_int(g, ARCHITECTURE ".clues_version", &version))
        return elm_fail(err, ELM_CORRUPT, "key " ARCHITECTURE ".clues_version is missing");
    if (version != ELM_CLUES_VERSION)
        return elm_fail(err, ELM_OUTSIDE, "clues of version %lld, this elm has %d: train anew with "
                        "elm train --trainer changes", (long long)version, ELM_CLUES_VERSION);
    parts_of(out, parts);
    for (uint32_t i = 0; i < PARTS; i++)
        ELM_TRY(read_part(g, &parts[i], err));
    return ELM_OK;
}

enum elm_status elm_changes_read(const char *path, struct elm_changes *out, struct elm_error *err)
{
    struct elm_gguf *g;
    size_t len = (size_t)(elm_changes_bytes_end - elm_changes_bytes);
    if (path == NULL && len == 0)
        return elm_fail(err, ELM_NOT_FOUND, "no change model built in: models/elm-taught.gguf was not there when "
                        "elm was built; elm train --trainer changes makes one");
    ELM_TRY(path != NULL ? elm_gguf_open(path, &g, err)
                         : elm_gguf_open_bytes(elm_changes_bytes, len, &g, err));
    enum elm_status status = load(g, out, err);
    elm_gguf_close(g);
    return status;
}
