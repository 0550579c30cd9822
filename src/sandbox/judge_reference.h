/*
 * judge_reference: the end of a judge that elm writes itself; before it come judge_formula.h, the
 * reference under the name of REFERENCE, elm_shim that calls it, and the tables and sizes (judge_text.c). Embedded into libelm as text.
 */

struct elm_wanted {
    uint8_t out[CASES][OUT_BYTES];
};

static int elm_make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    struct elm_wanted *wanted = state;
    uint64_t s = formula_start(seed, set);
    uint8_t *at = in;
    for (int i = 0; i < max; i++)
        formula_fill(elm_inputs, INPUTS, &s, at + (size_t)i * IN_BYTES);
    memset(wanted, 0, sizeof(*wanted));
    elm_shim(REFERENCE, in, (char *)wanted->out, max, 0, 0);
    return max;
}

static void elm_score(const void *state, int n, const void *in, const void *out,
                      const struct elm_cost *cost, struct elm_result *result)
{
    (void)in;
    (void)cost;
    const struct elm_wanted *wanted = state;
    const uint8_t *got = out;
    result->fitness = 0;
    for (int i = 0; i < n; i++) {
        double worth = formula_case(elm_outputs, OUTPUTS, wanted->out[i],
                                    got + (size_t)i * OUT_BYTES);
        result->pass[i] = worth >= 1;
        result->fitness += worth;
    }
    result->fitness /= n;
}

static void elm_want(const void *state, int n, const void *in, void *out, uint8_t *want_mask)
{
    (void)in;
    const struct elm_wanted *wanted = state;
    memcpy(out, wanted->out, (size_t)n * OUT_BYTES);
    memset(want_mask, 0, (size_t)n * OUT_BYTES);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < OUTPUTS; k++)
            memset(want_mask + (size_t)i * OUT_BYTES + elm_outputs[k].offset, 1,
                   elm_outputs[k].count * (elm_outputs[k].real ? 8u : 4u));
    }
}

struct elm_line {
    char *text;
    size_t left;
};

__attribute__((format(printf, 2, 3)))
static void elm_say(struct elm_line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->text, l->left, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < l->left ? (size_t)n : l->left - 1;
    l->text += used;
    l->left -= used;
}

static void elm_say_slot(struct elm_line *l, const struct formula_slot *p, const uint8_t *bytes)
{
    if (p->name[0] != '\0')
        elm_say(l, "%s = ", p->name);
    elm_say(l, p->array ? "{" : "");
    for (uint32_t k = 0; k < p->count; k++) {
        int32_t v = 0;
        double x = 0;
        memcpy(&v, bytes + p->offset + 4 * (size_t)k, p->real ? 0 : 4);
        memcpy(&x, bytes + p->offset + 8 * (size_t)k, p->real ? 8 : 0);
        if (p->real)
            elm_say(l, "%s%.10g", k > 0 ? ", " : "", x);
        else
            elm_say(l, "%s%d", k > 0 ? ", " : "", v);
    }
    elm_say(l, p->array ? "}" : "");
}

static void elm_explain(const void *state, const void *in, const void *out, char *text,
                        size_t text_bytes)
{
    (void)state;
    struct elm_line l = {text, text_bytes};
    uint8_t wanted[OUT_BYTES] = {0}, copy[IN_BYTES];
    memcpy(copy, in, IN_BYTES);
    elm_shim(REFERENCE, (char *)copy, (char *)wanted, 1, 0, 0);
    for (int i = 0; i < INPUTS; i++) {
        elm_say(&l, i > 0 ? ", " : "");
        elm_say_slot(&l, &elm_inputs[i], in);
    }
    elm_say(&l, ": wanted ");
    for (int i = 0; i < OUTPUTS; i++) {
        elm_say(&l, i > 0 ? ", " : "");
        elm_say_slot(&l, &elm_outputs[i], wanted);
    }
    elm_say(&l, ", got ");
    for (int i = 0; i < OUTPUTS; i++) {
        elm_say(&l, i > 0 ? ", " : "");
        elm_say_slot(&l, &elm_outputs[i], out);
    }
}

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = IN_BYTES,
    .out_bytes = OUT_BYTES,
    .state_bytes = sizeof(struct elm_wanted),
    .make = elm_make,
    .score = elm_score,
    .want = elm_want,
    .explain = elm_explain,
};
