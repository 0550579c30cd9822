/*
 * boolean [functions]: median evaluations to a right program by exact gate count, for normal
 * 4-input functions over {a & b, a & ~b, ~a & b, a ^ b, a | b}; so many functions a count.
 * To compare with Cartesian GP in its own words (Hamming fitness, point mutation, (1+4)): medians
 * 137, 841, 2,277, 5,657, 11,585.
 */
#include "loop.h"

#define FUNCTIONS 65536
#define GATES_MAX 5
#define BUDGET 100000
#define CASES 8                      /* words of rows in any order, so that no constant is right */

static uint8_t gates[FUNCTIONS];     /* exact; GATES_MAX + 1: more */

/* Tries every chain of up to GATES_MAX gates. Of the orders of one chain only the one in which a
 * gate either uses the gate before it, or comes after it in rank, is tried. */
static void extend(uint16_t *chain, uint32_t length, uint32_t least)
{
    uint8_t used = (uint8_t)(length - 4 + 1);
    for (uint32_t i = 1; i < length; i++) {
        for (uint32_t j = 0; j < i; j++) {
            uint32_t a = chain[i], b = chain[j], rank = (i * 16 + j) * 8;
            const uint16_t made[] = {(uint16_t)(a & b), (uint16_t)(a & ~b), (uint16_t)(~a & b),
                                     (uint16_t)(a ^ b), (uint16_t)(a | b)};
            for (uint32_t k = 0; k < ELM_COUNT(made); k++) {
                if (gates[made[k]] > used)
                    gates[made[k]] = used;
                if (used == GATES_MAX || (i < length - 1 && rank + k < least))
                    continue;
                chain[length] = made[k];
                extend(chain, length + 1, rank + k + 1);
            }
        }
    }
}

static bool count_gates(void)
{
    static const uint32_t known[GATES_MAX + 1] = {5, 30, 228, 1237, 5312, 12092};
    uint16_t chain[4 + GATES_MAX] = {0xaaaa, 0xcccc, 0xf0f0, 0xff00};
    uint32_t counts[GATES_MAX + 2] = {0};
    memset(gates, GATES_MAX + 1, sizeof(gates));
    gates[0] = gates[0xaaaa] = gates[0xcccc] = gates[0xf0f0] = gates[0xff00] = 0;
    extend(chain, 4, 0);
    for (uint32_t f = 0; f < FUNCTIONS; f++)
        counts[gates[f]] += f % 2 == 0;
    return memcmp(counts, known, sizeof(known)) == 0;
}

/* ---- searches ---- */

struct target {
    struct elm_problem problem;
    struct elm_vm_memory *vm;
    struct elm_buf code;
    uint8_t rows[CASES][32];         /* each row twice */
    uint32_t in[CASES][4];
    uint32_t wanted[CASES];
};

/* What a table gives on the rows of case c. */
static uint32_t on_rows(const struct target *g, uint16_t table, uint32_t c)
{
    uint32_t word = 0;
    for (uint32_t bit = 0; bit < 32; bit++)
        word |= (uint32_t)(table >> g->rows[c][bit] & 1) << bit;
    return word;
}

static bool evaluate(void *ctx, const struct elm_tree *t, struct elm_evaluation *e)
{
    struct target *g = ctx;
    struct elm_error err;
    int32_t out[2] = {0};
    uint64_t steps;
    elm_buf_clear(&g->code);
    if (elm_vm_compile(t, g->problem.names, &g->problem.io, &g->code, &err) != ELM_OK)
        return false;
    e->fitness = 32 * CASES;
    for (uint32_t c = 0; c < CASES; c++) {
        if (elm_vm_run(g->code.ptr, g->vm, g->in[c], out, g->problem.fuel, &steps) != ELM_VM_OK)
            return false;
        e->fitness -= __builtin_popcount((uint32_t)out[0] ^ g->wanted[c]);
    }
    return true;
}

/* Straight-line, with gates to spare: neutral steps need room. */
static const char seed_text[] =
    "int f(int a, int b, int c, int d)\n"
    "{\n"
    "    int t0 = a & b;\n"
    "    int t1 = c ^ d;\n"
    "    int t2 = a | c;\n"
    "    int t3 = b ^ t0;\n"
    "    int t4 = t1 & t2;\n"
    "    int t5 = d | t3;\n"
    "    int t6 = t4 ^ t3;\n"
    "    int t7 = t5 & t1;\n"
    "    int t8 = t6 | a;\n"
    "    int t9 = t7 ^ t2;\n"
    "    return t8 ^ t9;\n"
    "}\n";

static uint32_t search(struct target *g, const char *const operators[3], uint64_t seed)
{
    uint32_t want[CASES][2] = {0}, mask[CASES][2] = {0};
    for (uint32_t c = 0; c < CASES; c++) {
        want[c][0] = g->wanted[c];
        mask[c][0] = 0x01010101;
    }
    struct elm_evidence evidence = {.case_count = CASES, .in = g->in, .want = want,
                                    .want_mask = (const uint8_t *)mask};
    struct loop *l = elm_calloc(1, sizeof(*l));
    l->problem = &g->problem;
    l->evidence = &evidence;
    l->evaluate = evaluate;
    l->ctx = g;
    memcpy(l->operators, operators, 3 * sizeof(l->operators[0]));
    l->archive = "grid";          /* without measures: one niche */
    l->selector = "uniform";
    l->target = 32 * CASES;
    l->seed = seed;
    l->budget = BUDGET;
    l->vm = g->vm;
    loop_run(l);
    uint32_t evaluations = l->solved ? l->evaluations : BUDGET;
    elm_tree_release(&l->best);
    free(l);
    return evaluations;
}

static void open_target(struct target *g)
{
    static const char *const inputs[] = {"a", "b", "c", "d"};
    struct elm_error err;
    static const uint16_t tables[] = {0xaaaa, 0xcccc, 0xf0f0, 0xff00};
    *g = (struct target){.vm = elm_vm_memory_new()};
    struct elm_rng rng = elm_rng(16, 0);
    for (uint32_t c = 0; c < CASES; c++) {
        for (uint32_t bit = 0; bit < 32; bit++) {
            uint32_t other = elm_rng_below(&rng, bit + 1);
            g->rows[c][bit] = g->rows[c][other];
            g->rows[c][other] = bit % 16;
        }
        for (int i = 0; i < 4; i++)
            g->in[c][i] = on_rows(g, tables[i], c);
    }
    struct elm_problem *p = &g->problem;
    *p = (struct elm_problem){.names = elm_names_new(), .fuel = 10000, .nodes_max = 200,
                              .edit_nodes_max = 40, .io = {.entry = "f", .returns = ELM_TYPE_INT}};
    for (int i = 0; i < 4; i++)
        loop_int_param(&p->io, inputs[i]);
    if (elm_io_layout(&p->io, &err) != ELM_OK ||
        elm_tree_parse(elm_str(seed_text), p->names, &p->seed, &err) != ELM_OK ||
        elm_tree_check(&p->seed, p->names, &err) != ELM_OK)
        abort();
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t median(struct target *g, uint32_t count, uint32_t functions,
                       const char *const operators[3])
{
    uint32_t *taken = elm_calloc(functions, sizeof(taken[0]));
    struct elm_rng rng = elm_rng(17, count);
    for (uint32_t i = 0; i < functions; i++) {
        uint16_t table;
        do {
            table = (uint16_t)(2 * elm_rng_below(&rng, FUNCTIONS / 2));
        } while (gates[table] != count);
        for (uint32_t c = 0; c < CASES; c++)
            g->wanted[c] = on_rows(g, table, c);
        taken[i] = search(g, operators, 1000 * count + i);
    }
    qsort(taken, functions, sizeof(taken[0]), compare);
    uint32_t result = taken[functions / 2];
    free(taken);
    return result;
}

int main(int argc, char **argv)
{
    static const char *const tree[3] = {"tree"}, *const both[3] = {"semantic", "tree"};
    uint32_t functions = argc > 1 ? (uint32_t)atoi(argv[1]) : 60;
    struct target g;
    if (!count_gates()) {
        fprintf(stderr, "boolean: gate counts differ from Knuth's\n");
        return 1;
    }
    open_target(&g);
    for (uint32_t count = 1; count <= GATES_MAX; count++) {
        printf("boolean_evaluations_%u %u evaluations\n", count,
               median(&g, count, functions, tree));
        fflush(stdout);
    }
    for (uint32_t count = 1; count <= GATES_MAX; count++)
        printf("boolean_semantic_%u %u evaluations\n", count, median(&g, count, functions, both));
    elm_tree_release(&g.problem.seed);
    elm_names_free(g.problem.names);
    elm_vm_memory_free(g.vm);
    elm_buf_release(&g.code);
    return 0;
}
