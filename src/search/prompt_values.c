/* prompt_values: what a prompt can say of a problem and of parents. */
#include "elm/prompt.h"

#include "elm/answer.h"

#include <math.h>
#include <string.h>

#define TEMPERATURE 0.8f
#define WORDS_TOKENS 1024          /* for what is said around the code */
#define TOKENS_MAX 8192
#define PROGRAM_BYTES 32000        /* of a program that is shown around what may change */

static struct elm_str keep(const struct elm_operator_context *context, struct elm_buf *b)
{
    char *bytes = elm_arena_alloc(context->arena, b->len + 1);
    if (b->len > 0)
        memcpy(bytes, b->ptr, b->len);
    struct elm_str kept = {bytes, b->len};
    elm_buf_release(b);
    return kept;
}

/* Without the newlines at its end: what is put between fences ends its own lines. */
static struct elm_str trim(struct elm_str s)
{
    while (s.len > 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

struct elm_str elm_prompt_program(const struct elm_operator_context *context,
                                  const struct elm_parent *parent)
{
    if (parent->tree == NULL)
        return parent->text;
    struct elm_buf text = {0};
    elm_tree_print(parent->tree, context->problem->names, &text);
    return keep(context, &text);
}

/* What may change of a program, if that is one part. */
static struct elm_str block_of(struct elm_str program)
{
    struct elm_answer_span spans[ELM_ANSWER_SPANS_MAX];
    bool marked;
    if (elm_answer_spans(program, spans, &marked) != 1)
        return trim(program);
    return trim((struct elm_str){program.ptr + spans[0].at, spans[0].len});
}

/* The whole program, or of a long one what stands around the part that may change. */
static struct elm_str shown_program(const struct elm_operator_context *context,
                                    struct elm_str program)
{
    struct elm_answer_span spans[ELM_ANSWER_SPANS_MAX];
    bool marked;
    program = trim(program);
    if (program.len <= PROGRAM_BYTES)
        return program;
    uint32_t count = elm_answer_spans(program, spans, &marked);
    size_t first = spans[0].at, end = spans[count - 1].at + spans[count - 1].len;
    if (!marked || end - first > PROGRAM_BYTES / 2)
        return program;
    size_t around = (PROGRAM_BYTES - (end - first)) / 2;
    size_t from = first > around ? first - around : 0;
    size_t to = program.len - end > around ? end + around : program.len;
    while (from > 0 && program.ptr[from - 1] != '\n')
        from++;
    while (to < program.len && program.ptr[to - 1] != '\n')
        to--;
    struct elm_buf out = {0};
    if (from > 0)
        elm_buf_printf(&out, "[... %zu bytes left out ...]\n", from);
    elm_buf_add(&out, program.ptr + from, to - from);
    if (to < program.len)
        elm_buf_printf(&out, "[... %zu bytes left out ...]", program.len - to);
    return keep(context, &out);
}

static struct elm_str entry_of(const struct elm_operator_context *context)
{
    const struct elm_io *io = &context->problem->io;
    static const char *const types[] = {
        [ELM_TYPE_NONE] = "void", [ELM_TYPE_INT] = "int", [ELM_TYPE_DOUBLE] = "double",
        [ELM_TYPE_INT_ARRAY] = "int", [ELM_TYPE_DOUBLE_ARRAY] = "double",
    };
    struct elm_buf out = {0};
    if (io->entry[0] == '\0')
        return (struct elm_str){0};
    elm_buf_printf(&out, "%s %s(", types[io->returns], io->entry);
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        elm_buf_printf(&out, "%s%s %s", i == 0 ? "" : ", ", types[p->type], p->name);
        for (int d = 0; d < 2 && p->dims[d] > 0; d++)
            elm_buf_printf(&out, "[%u]", p->dims[d]);
    }
    elm_buf_printf(&out, "%s)", io->param_count == 0 ? "void" : "");
    return keep(context, &out);
}

/* For fences. A file that a command scores has a name that tells. */
static const char *language_of(const struct elm_problem *problem)
{
    static const char *const known[][2] = {
        {"c", "c"}, {"h", "c"}, {"cc", "cpp"}, {"cpp", "cpp"}, {"cxx", "cpp"}, {"cs", "csharp"},
        {"cu", "cuda"}, {"f90", "fortran"}, {"go", "go"}, {"hs", "haskell"}, {"java", "java"},
        {"jl", "julia"}, {"js", "javascript"}, {"lua", "lua"}, {"ml", "ocaml"}, {"pl", "perl"},
        {"py", "python"}, {"r", "r"}, {"R", "r"}, {"rb", "ruby"}, {"rs", "rust"}, {"sh", "bash"},
        {"swift", "swift"}, {"ts", "typescript"}, {"zig", "zig"},
    };
    if (problem->judge != ELM_JUDGE_COMMAND)
        return "c";
    const char *dot = problem->name == NULL ? NULL : strrchr(problem->name, '.');
    for (size_t i = 0; dot != NULL && i < ELM_COUNT(known); i++) {
        if (strcmp(dot + 1, known[i][0]) == 0)
            return known[i][1];
    }
    return "";
}

static void add_core_c(struct elm_buf *out, const struct elm_problem *problem)
{
    elm_buf_printf(out, "- only this much of C: functions over int (32 bits) and double, arrays of "
                   "fixed size of one or two dimensions, if, for, while, do, break, continue, "
                   "return, calls of functions defined above");
    for (uint32_t i = 0; i < ELM_MATH_FUNCTIONS; i++) {
        struct elm_str name = elm_names_text(problem->names, i);
        elm_buf_printf(out, "%s%.*s", i == 0 ? " and of " : " ", (int)name.len, name.ptr);
    }
    elm_buf_printf(out, "; no other pointers, no globals, structs, strings, switch or goto\n");
}

static struct elm_str limits_of(const struct elm_operator_context *context, bool is_tree)
{
    const struct elm_problem *p = context->problem;
    struct elm_buf out = {0};
    if (is_tree) {
        add_core_c(&out, p);
        elm_buf_printf(&out, "- at most %u nodes: names, numbers, operators and statements\n",
                       p->nodes_max);
    }
    if (is_tree && p->runner == ELM_RUNNER_VM) {
        elm_buf_printf(&out, "- at most %llu steps for a case\n", (unsigned long long)p->fuel);
    } else if (p->judge != ELM_JUDGE_COMMAND) {
        elm_buf_printf(&out, "- C with the headers math.h stdlib.h string.h stdint.h stdbool.h "
                       "float.h limits.h and no others\n- at most %u ms of CPU time for all cases "
                       "together, and %u MiB\n", p->cpu_ms, p->memory_mb);
    }
    for (uint32_t i = 0; i < p->io.param_count; i++) {
        if (p->io.params[i].direction == ELM_IO_OUT)
            elm_buf_printf(&out, "- %s is an output: it holds zeros at first\n",
                           p->io.params[i].name);
    }
    struct elm_str kept = keep(context, &out);
    return trim(kept);
}

static struct elm_str fitness_of(const struct elm_operator_context *context,
                                 const struct elm_parent *parent)
{
    const struct elm_evaluation *e = parent->evaluation;
    enum elm_judge_kind judge = context->problem->judge;
    struct elm_buf out = {0};
    if (e == NULL || e->status != ELM_EVAL_OK)
        return (struct elm_str){0};
    if (judge != ELM_JUDGE_COMPARE)
        elm_buf_printf(&out, "%.9g", e->fitness);
    if (judge == ELM_JUDGE_SCORE && e->cases > 1)
        elm_buf_printf(&out, ", %u of %u cases right", e->passed, e->cases);
    return keep(context, &out);
}

static struct elm_str number_of(const struct elm_operator_context *context, double x)
{
    struct elm_buf out = {0};
    if (isfinite(x))
        elm_buf_printf(&out, "%.9g", x);
    return keep(context, &out);
}

static struct elm_str measures_of(const struct elm_operator_context *context,
                                  const struct elm_parent *parent)
{
    const struct elm_problem *p = context->problem;
    struct elm_buf out = {0};
    if (parent->evaluation == NULL || parent->evaluation->status != ELM_EVAL_OK)
        return (struct elm_str){0};
    for (uint32_t i = 0; i < p->measure_count && i < ELM_MEASURES_MAX; i++) {
        elm_buf_printf(&out, "%s%s %.6g", i == 0 ? "" : ", ", p->measures[i].name,
                       parent->evaluation->measures[i]);
    }
    return keep(context, &out);
}

void elm_prompt_fill(const struct elm_operator_context *context, const struct elm_parents *parents,
                     struct elm_prompt_values *values)
{
    const struct elm_problem *problem = context->problem;
    const struct elm_parent *parent = &parents->parent[0];
    struct elm_str program = elm_prompt_program(context, parent);
    struct elm_answer_span spans[ELM_ANSWER_SPANS_MAX];
    bool marked;
    memset(values, 0, sizeof(*values));
    struct elm_str *text = values->text;
    elm_answer_spans(program, spans, &marked);
    text[ELM_PROMPT_SUMMARY] = elm_str(problem->summary);
    text[ELM_PROMPT_DESCRIPTION] = trim(elm_str(problem->description));
    text[ELM_PROMPT_ENTRY] = entry_of(context);
    text[ELM_PROMPT_LANGUAGE] = elm_str(language_of(problem));
    text[ELM_PROMPT_LIMITS] = limits_of(context, parent->tree != NULL);
    text[ELM_PROMPT_PROGRAM] = shown_program(context, program);
    if (marked)
        text[ELM_PROMPT_MARKERS] = ELM_STR("EVOLVE-BLOCK-START and EVOLVE-BLOCK-END");
    text[ELM_PROMPT_BLOCK] = block_of(program);
    text[ELM_PROMPT_FITNESS] = fitness_of(context, parent);
    if (problem->judge != ELM_JUDGE_COMPARE)
        text[ELM_PROMPT_TARGET] = number_of(context, isnan(problem->target) ? problem->best_known
                                                                            : problem->target);
    text[ELM_PROMPT_MEASURES] = measures_of(context, parent);
    text[ELM_PROMPT_WRONG] = trim(parent->wrong);
    if (parents->count > 1) {
        text[ELM_PROMPT_OTHER] = block_of(elm_prompt_program(context, &parents->parent[1]));
        text[ELM_PROMPT_OTHER_FITNESS] = fitness_of(context, &parents->parent[1]);
    }
    text[ELM_PROMPT_BROKEN] = block_of(parent->broken);
    text[ELM_PROMPT_BROKEN_WHY] = trim(parent->broken_why);
}

bool elm_prompt_applies(const struct elm_problem *problem, const struct elm_evidence *evidence,
                        const char **why)
{
    (void)evidence;
    if (problem->seed_text != NULL && problem->seed_text[0] != '\0')
        return true;
    if (why != NULL)
        *why = "the seed has no text";
    return false;
}

enum elm_status elm_prompt_ask(struct elm_prompt *p, const struct elm_operator_context *context,
                               const struct elm_prompt_values *values, size_t answer_bytes,
                               struct elm_rng *rng, struct elm_request *request,
                               struct elm_error *err)
{
    if (answer_bytes > ELM_PROMPT_ANSWER_BYTES_MAX) {
        return elm_fail(err, ELM_NOT_FOUND, "%zu bytes of code are more than an answer holds",
                        answer_bytes);
    }
    ELM_TRY(elm_prompt_load(p, context->prompts_folder, err));
    ELM_TRY(elm_prompt_render(p, values, request, err));
    /* a token is three bytes of code, more or less; a child may be longer than its parent */
    uint32_t tokens = WORDS_TOKENS + (uint32_t)answer_bytes / 2;
    request->seed = elm_rng_u64(rng);
    request->temperature = TEMPERATURE;
    request->tokens_max = tokens < TOKENS_MAX ? tokens : TOKENS_MAX;
    return ELM_OK;
}

enum elm_status elm_prompt_read_program(void *self, const struct elm_operator_context *context,
                                        const struct elm_parents *parents,
                                        const struct elm_request *request, struct elm_str reply,
                                        struct elm_edit *edits, uint32_t *edit_count,
                                        struct elm_buf *text, struct elm_error *err)
{
    (void)self;
    (void)request;
    (void)edits;
    struct elm_str program = elm_prompt_program(context, &parents->parent[0]);
    *edit_count = 0;
    return elm_answer_rewrite(program, context->problem->io.entry, reply, text, err);
}
