/*
 * scorer: writes a main that makes the cases with the exported judge, calls the program on each,
 * has the judge score the outputs and compares with what elm measured. VM steps and tree sizes
 * can't be measured outside elm; they stand in main.c as numbers that say so.
 */
#include "cli/scorer.h"

#include <string.h>

__asm__(".pushsection .rodata\n"
        "elm_cli_judge_header:\n"
        ".incbin \"include/elm/judge.h\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char elm_cli_judge_header[];

struct elm_str scorer_judge_header(void)
{
    return elm_str(elm_cli_judge_header);
}

bool scorer_possible(const struct elm_problem *p)
{
    /* of two that play each other, each would need a process of its own */
    return p->judge == ELM_JUDGE_SCORE ||
           (p->judge == ELM_JUDGE_COMPARE && !p->needs_steps && p->rounds == 0);
}

static const char *base_type(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY ? "double"
           : type == ELM_TYPE_NONE                                  ? "void"
                                                                    : "int";
}

static bool is_array(const struct elm_io_param *p)
{
    return p->type == ELM_TYPE_INT_ARRAY || p->type == ELM_TYPE_DOUBLE_ARRAY;
}

static void add_dims(struct elm_buf *out, const struct elm_io_param *p)
{
    if (is_array(p))
        elm_buf_printf(out, "[%u]", p->dims[0]);
    if (is_array(p) && p->dims[1] > 0)
        elm_buf_printf(out, "[%u]", p->dims[1]);
}

static void add_declaration(struct elm_buf *out, const struct elm_io *io)
{
    elm_buf_printf(out, "%s %s(", base_type(io->returns), io->entry);
    for (uint32_t i = 0; i < io->param_count; i++) {
        elm_buf_printf(out, "%s%s %s", i > 0 ? ", " : "", base_type(io->params[i].type),
                       io->params[i].name);
        add_dims(out, &io->params[i]);
    }
    elm_buf_printf(out, "%s);\n\n", io->param_count == 0 ? "void" : "");
}

/* What lanes keep between rounds, and how to forget it. */
static void add_state(struct elm_buf *out, const struct elm_problem *p)
{
    uint32_t lanes = 1;
    for (int set = 0; set < ELM_SETS; set++)
        lanes = p->case_count[set] > lanes ? p->case_count[set] : lanes;
    for (uint32_t i = 0; i < p->io.param_count; i++) {
        const struct elm_io_param *a = &p->io.params[i];
        if (a->direction != ELM_IO_STATE)
            continue;
        elm_buf_printf(out, "static %s state_%s[%u]", base_type(a->type), a->name, lanes);
        add_dims(out, a);
        elm_buf_printf(out, ";\n");
    }
    elm_buf_printf(out, "static void forget(void)\n{\n");
    for (uint32_t i = 0; i < p->io.param_count; i++) {
        const struct elm_io_param *a = &p->io.params[i];
        if (a->direction == ELM_IO_STATE)
            elm_buf_printf(out, "    memset(state_%s, 0, sizeof(state_%s));\n", a->name, a->name);
    }
    elm_buf_printf(out, "}\n\n");
}

static void add_arguments(struct elm_buf *out, const struct elm_io *io)
{
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        bool kept = p->direction == ELM_IO_STATE;
        elm_buf_printf(out, "%s%s%s%s", i > 0 ? ", " : "", kept ? "state_" : "arg_", p->name,
                       kept ? "[lane]" : "");
    }
}

static void add_call(struct elm_buf *out, const struct elm_io *io)
{
    elm_buf_printf(out, "static void call(int lane, const unsigned char *from, unsigned char *to)\n"
                   "{\n    (void)lane;\n");
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        if (p->direction == ELM_IO_STATE)
            continue;
        elm_buf_printf(out, "    static %s arg_%s", base_type(p->type), p->name);
        add_dims(out, p);
        elm_buf_printf(out, ";\n");
        if (p->direction == ELM_IO_OUT)
            elm_buf_printf(out, "    memset(&arg_%s, 0, sizeof(arg_%s));\n", p->name, p->name);
        else
            elm_buf_printf(out, "    memcpy(&arg_%s, from + %u, sizeof(arg_%s));\n", p->name,
                           p->in_offset, p->name);
    }
    bool returns = io->returns != ELM_TYPE_NONE;
    elm_buf_printf(out, "    %s%s%s(", returns ? base_type(io->returns) : "",
                   returns ? " value = " : "", io->entry);
    add_arguments(out, io);
    elm_buf_printf(out, ");\n");
    if (returns)
        elm_buf_printf(out, "    memcpy(to, &value, sizeof(value));\n");
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        if (p->direction == ELM_IO_OUT || p->direction == ELM_IO_INOUT) {
            elm_buf_printf(out, "    memcpy(to + %u, &arg_%s, sizeof(arg_%s));\n", p->out_offset,
                           p->name, p->name);
        }
    }
    elm_buf_printf(out, "}\n\n");
}

static void add_expected(struct elm_buf *out, const struct elm_problem *p,
                         const struct elm_best_report *r)
{
    struct elm_names *names = elm_names_new();
    struct elm_tree tree = {0};
    uint32_t nodes = 0, operators = 0;
    if (elm_tree_parse(elm_buf_str(&r->text), names, &tree, NULL) == ELM_OK) {
        nodes = tree.count;
        operators = elm_tree_operators(&tree);
    }
    elm_tree_release(&tree);
    elm_names_free(names);
    const struct {
        const char *name, *word;
        const struct elm_evaluation *e;
        enum elm_set set;
    } sets[] = {
        {"scored", "ELM_SET_SCORED", &r->scored, ELM_SET_SCORED},
        {"audit", "ELM_SET_AUDIT", &r->audit, ELM_SET_AUDIT},
    };
    elm_buf_printf(out,
                   "/* What elm measured. Steps are those of its virtual machine over all cases, "
                   "nodes and operators\n * those of its syntax tree: a judge that weighs them "
                   "can't count them, so they stand here. */\n"
                   "static const struct expected {\n    const char *name;\n    enum elm_set set;\n"
                   "    int cases;\n    struct elm_cost cost;\n    double fitness;\n"
                   "    int compared;\n} expected[] = {\n");
    for (size_t i = 0; i < ELM_COUNT(sets); i++) {
        const struct elm_evaluation *e = sets[i].e;
        elm_buf_printf(out,
                       "    {\"%s\", %s, %u,\n     {.steps = %llu, .nodes = %u, .operators = %u, "
                       ".text_bytes = %zu},\n     %.17g, %d},\n", sets[i].name, sets[i].word,
                       p->case_count[sets[i].set], (unsigned long long)e->steps, nodes, operators,
                       r->text.len, e->status == ELM_EVAL_OK ? e->fitness : 0.0, e->compared);
    }
    elm_buf_printf(out, "};\n#define TOLERANCE %.17g\n#define CASE_SEED %lluull\n"
                   "#define ROUNDS %u\n\n", p->tolerance, (unsigned long long)p->case_seed, p->rounds);
}

static const char made[] =
    "/* Cases and the program's outputs on them; with rounds, what came of them. */\n"
    "struct made {\n    void *state;\n    unsigned char *in, *out;\n    int n;\n"
    "    unsigned long cpu_us;\n    unsigned rounds;\n};\n\n";

static const char ask_once[] =
    "static void ask(struct made *m)\n{\n"
    "    for (int i = 0; i < m->n; i++) {\n"
    "        size_t k = (size_t)i;\n"
    "        call(i, m->in + k * elm_judge.in_bytes, m->out + k * elm_judge.out_bytes);\n"
    "    }\n}\n\n";

static const char ask_in_rounds[] =
    "static void ask(struct made *m)\n{\n"
    "    size_t n = (size_t)m->n;\n"
    "    unsigned char *in = malloc(n * elm_judge.in_bytes), *live = malloc(n);\n"
    "    void *world = calloc(1, elm_judge.world_bytes + 16);\n"
    "    if (in == NULL || live == NULL || world == NULL)\n        abort();\n"
    "    memcpy(in, m->in, n * elm_judge.in_bytes);\n"
    "    memset(live, 1, n);\n"
    "    while (elm_judge.next(m->state, world, (int)m->rounds, m->n, m->out, in, live) > 0 &&\n"
    "           m->rounds < ROUNDS) {\n"
    "        for (size_t k = 0; k < n; k++) {\n"
    "            if (live[k])\n"
    "                call((int)k, in + k * elm_judge.in_bytes, m->out + k * elm_judge.out_bytes);\n"
    "        }\n"
    "        m->rounds++;\n"
    "    }\n"
    "    m->out = world;\n}\n\n";

static const char make_and_ask[] =
    "static struct made make(const struct expected *e)\n{\n"
    "    struct made m = {0};\n"
    "    m.state = calloc(1, elm_judge.state_bytes + 16);\n"
    "    m.in = calloc((size_t)e->cases + 1, elm_judge.in_bytes);\n"
    "    m.out = calloc((size_t)e->cases + 1, elm_judge.out_bytes);\n"
    "    if (m.state == NULL || m.in == NULL || m.out == NULL)\n        abort();\n"
    "    m.n = elm_judge.make(m.state, e->set, CASE_SEED, e->cases, m.in);\n"
    "    clock_t start = clock();\n"
    "    forget();\n"
    "    ask(&m);\n"
    "    m.cpu_us = (unsigned long)((double)(clock() - start) * 1e6 / CLOCKS_PER_SEC);\n"
    "    return m;\n}\n\n"
    "static int right(const struct elm_result *r, int n)\n{\n"
    "    int count = 0;\n"
    "    for (int i = 0; i < n; i++)\n        count += r->pass[i];\n"
    "    return count;\n}\n\n";

static const char main_score[] =
    "int main(void)\n{\n"
    "    int differ = 0;\n"
    "    printf(\"set      cases  right  fitness        elm measured\\n\");\n"
    "    for (int i = 0; i < 2; i++) {\n"
    "        const struct expected *e = &expected[i];\n"
    "        struct made m = make(e);\n"
    "        struct elm_cost cost = e->cost;\n"
    "        if (cost.steps == 0)\n            cost.cpu_us = m.cpu_us;\n"
    "        cost.rounds = m.rounds;\n"
    "        static struct elm_result r;\n"
    "        memset(&r, 0, sizeof(r));\n"
    "        elm_judge.score(m.state, m.n, m.in, m.out, &cost, &r);\n"
    "        double fitness = r.invalid ? NAN : r.fitness;\n"
    "        int same = fabs(fitness - e->fitness) <= TOLERANCE + 1e-9 * fabs(e->fitness);\n"
    "        printf(\"%-8s %5d  %5d  %-13.9g  %-13.9g %s%s\\n\", e->name, m.n,\n"
    "               right(&r, m.n), fitness, e->fitness,\n"
    "               same ? \"same\" : \"DIFFERENT \", r.invalid ? r.why : \"\");\n"
    "        differ |= !same;\n"
    "    }\n"
    "    return differ;\n}\n";

static const char main_compare[] =
    "/* With an argument: writes its outputs there. Without: reads those of the seed. */\n"
    "int main(int argc, char **argv)\n{\n"
    "    FILE *f = fopen(argc > 1 ? argv[1] : \"seed.outputs\", argc > 1 ? \"wb\" : \"rb\");\n"
    "    if (f == NULL) {\n        perror(\"seed.outputs\");\n        return 1;\n    }\n"
    "    int differ = 0;\n"
    "    for (int i = 0; i < 2; i++) {\n"
    "        const struct expected *e = &expected[i];\n"
    "        struct made m = make(e);\n"
    "        size_t n = (size_t)m.n;\n"
    "        if (argc > 1) {\n"
    "            differ |= fwrite(m.out, elm_judge.out_bytes, n, f) != n;\n"
    "            continue;\n        }\n"
    "        void *seed = calloc(n + 1, elm_judge.out_bytes);\n"
    "        if (seed == NULL || fread(seed, elm_judge.out_bytes, n, f) != n)\n"
    "            return 1;\n"
    "        static struct elm_result r;\n"
    "        memset(&r, 0, sizeof(r));\n"
    "        struct elm_cost cost = e->cost, seed_cost = {0};\n"
    "        int compared = elm_judge.compare(m.state, m.n, m.in, seed, &seed_cost, m.out,\n"
    "                                         &cost, &r);\n"
    "        printf(\"%-8s %5d cases, right %d: %s the seed; elm said %s\\n\", e->name, m.n,\n"
    "               right(&r, m.n), compared > 0 ? \"better than\" : \"not better than\",\n"
    "               e->compared > 0 ? \"better\" : \"not better\");\n"
    "        differ |= (compared > 0) != (e->compared > 0);\n"
    "    }\n"
    "    return fclose(f) != 0 || differ;\n}\n";

void scorer_main(struct elm_buf *out, const struct elm_problem *p, const struct elm_best_report *r)
{
    elm_buf_printf(out, "/* main: scores program.c without elm. Written by elm %s; `make` builds "
                   "and runs it. */\n#include \"elm/judge.h\"\n\n#include <math.h>\n"
                   "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
                   "#include <time.h>\n\n",
                   ELM_VERSION);
    add_declaration(out, &p->io);
    add_state(out, p);
    add_call(out, &p->io);
    add_expected(out, p, r);
    elm_buf_add_str(out, elm_str(made));
    elm_buf_add_str(out, elm_str(p->rounds > 0 ? ask_in_rounds : ask_once));
    elm_buf_add_str(out, elm_str(make_and_ask));
    elm_buf_add_str(out, elm_str(p->judge == ELM_JUDGE_COMPARE ? main_compare : main_score));
}

void scorer_makefile(struct elm_buf *out, const struct elm_problem *p)
{
    elm_buf_printf(out, "# builds and scores program.c; needs gcc and nothing of elm\n"
                   "CC := gcc\n"
                   "# wrapping ints and no contraction, as elm computed\n"
                   "CFLAGS := -std=gnu17 -O2 -fwrapv -ffp-contract=off -fno-strict-aliasing -I."
                   "\n\n");
    if (p->judge == ELM_JUDGE_COMPARE) {
        elm_buf_printf(out, "run: score seed\n\t./seed seed.outputs\n\t./score\n"
                       "seed: main.c judge.c seed.c elm/judge.h\n"
                       "\t$(CC) $(CFLAGS) -o $@ main.c judge.c seed.c -lm\n");
    } else {
        elm_buf_printf(out, "run: score\n\t./score\n");
    }
    elm_buf_printf(out, "score: main.c judge.c program.c elm/judge.h\n"
                   "\t$(CC) $(CFLAGS) -o $@ main.c judge.c program.c -lm\n"
                   "clean:\n\trm -f score seed seed.outputs\n"
                   ".PHONY: run clean\n");
}
