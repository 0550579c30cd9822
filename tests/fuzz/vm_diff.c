/*
 * vm_diff: the same random programs in the virtual machine, compiled by libtcc and by gcc -O2. Where
 * the machine says OK, all must give the same bytes (every NaN is one).
 *
 *     vm_diff [SEED [COUNT]]
 *
 * Left out, because C or the compiler leaves it open:
 *   - runs that the machine ends (undefined behaviour, or out of steps);
 *   - unsequenced or unspecified order of side effects: generate.h writes none;
 *   - what tcc makes of arithmetic between double literals: it folds them in long double and rounds
 *     twice, about once in 10,000 it is off by the last bit. Such differences are only counted.
 */
#include "cases.h"
#include "generate.h"

#include <dlfcn.h>
#include <libtcc.h>
#include <unistd.h>

#define CASES 8
#define FUEL 200000
#define BATCH 50

struct program {
    struct elm_buf text, printed;
    struct elm_io io;
    struct elm_buf code;
    uint64_t seed;
    uint8_t *in, *out;         /* [CASES] */
    uint8_t ends[CASES];
    bool folds;                /* tcc folds doubles in it */
};

struct tally {
    uint64_t programs, cases, ok;
    uint64_t folded;
    uint64_t bad;
};

static const char prelude[] =
    "double sqrt(double); double fabs(double); double floor(double); double ceil(double);\n"
    "double sin(double); double cos(double); double tan(double); double atan(double);\n"
    "double atan2(double, double); double exp(double); double log(double);\n"
    "double pow(double, double); double fmin(double, double); double fmax(double, double);\n"
    "double fmod(double, double); double tanh(double); double cbrt(double);\n"
    "double round(double); int abs(int); double hypot(double, double);\n"
    "void *memcpy(void *, const void *, unsigned long);\n"
    "void *memset(void *, int, unsigned long);\n";

static const char *c_type(uint8_t type)
{
    return type == ELM_TYPE_INT || type == ELM_TYPE_INT_ARRAY ? "int" : "double";
}

/* `void shim_f1(const char *in, char *out)`: lays a case out as the arguments of f1. */
static void write_shim(const struct elm_io *io, struct elm_buf *out)
{
    elm_buf_printf(out, "void shim_%s(const char *in, char *out)\n{\n", io->entry);
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        elm_buf_printf(out, "    %s a%u", c_type(p->type), i);
        for (int d = 0; d < 2 && p->dims[d] != 0; d++)
            elm_buf_printf(out, "[%u]", p->dims[d]);
        elm_buf_printf(out, ";\n    memset(%sa%u, 0, sizeof(a%u));\n", p->dims[0] ? "" : "&", i, i);
        if (p->in_offset != UINT32_MAX)
            elm_buf_printf(out, "    memcpy(%sa%u, in + %u, sizeof(a%u));\n",
                           p->dims[0] ? "" : "&", i, p->in_offset, i);
    }
    elm_buf_printf(out, "    ");
    if (io->returns != ELM_TYPE_NONE)
        elm_buf_printf(out, "%s value = ", c_type(io->returns));
    elm_buf_printf(out, "%s(", io->entry);
    for (uint32_t i = 0; i < io->param_count; i++)
        elm_buf_printf(out, "%sa%u", i > 0 ? ", " : "", i);
    elm_buf_printf(out, ");\n");
    if (io->returns != ELM_TYPE_NONE)
        elm_buf_printf(out, "    memcpy(out, &value, sizeof(value));\n");
    for (uint32_t i = 0; i < io->param_count; i++) {
        if (io->params[i].out_offset != UINT32_MAX)
            elm_buf_printf(out, "    memcpy(out + %u, a%u, sizeof(a%u));\n",
                           io->params[i].out_offset, i, i);
    }
    elm_buf_printf(out, "}\n");
}

/* Is there an operator on doubles with nothing but literals under it? */
static bool folds_doubles(const struct elm_tree *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct elm_node *n = &t->nodes[i];
        bool constant = n->kind >= ELM_NODE_ADD && n->kind <= ELM_NODE_DIV &&
                        n->type == ELM_TYPE_DOUBLE;
        for (uint32_t k = 1; k < n->size && constant; k++)
            constant = n[k].kind != ELM_NODE_VAR && n[k].kind != ELM_NODE_INDEX &&
                       n[k].kind != ELM_NODE_CALL;
        if (constant)
            return true;
    }
    return false;
}

/* Do runs on loaded cases end where those one by one do, and give the same? */
static bool same_loaded(const struct program *p, struct elm_vm_memory *m)
{
    uint32_t words = elm_vm_case_words(p->code.ptr), next;
    union elm_value *loaded = elm_calloc((size_t)CASES * words + 1, sizeof(loaded[0]));
    uint8_t *out = elm_malloc((size_t)CASES * p->io.out_bytes);
    bool same = true;
    for (uint32_t i = 0; i < CASES; i++)
        elm_vm_load(p->code.ptr, m, p->in + (size_t)i * p->io.in_bytes, loaded + (size_t)i * words);
    for (uint32_t from = 0; from < CASES; from = next + 1) {
        uint32_t ok = elm_vm_run_loaded(p->code.ptr, m, loaded + (size_t)from * words, CASES - from, FUEL, out);
        for (next = from; next < CASES && p->ends[next] == ELM_VM_OK; next++)
            continue;
        same &= ok == next - from &&
                memcmp(out, p->out + (size_t)from * p->io.out_bytes, (size_t)ok * p->io.out_bytes) == 0;
    }
    if (!same)
        fprintf(stderr, "seed %llu: loaded cases differ\n%s\n", (unsigned long long)p->seed, p->text.ptr);
    free(loaded);
    free(out);
    return same;
}

/* Makes one program and runs it in the machine; false when it is none (a generator's fault). */
static bool make_program(struct program *p, uint64_t seed, uint32_t tag, struct elm_vm_memory *m,
                         struct tally *tally)
{
    struct elm_names *names = elm_names_new();
    struct elm_error err = {0};
    struct elm_tree t = {0};
    memset(p, 0, sizeof(*p));
    p->seed = seed;
    generate_program(seed, tag, &p->text, &p->io);
    enum elm_status status = elm_tree_parse(elm_buf_str(&p->text), names, &t, &err);
    if (status == ELM_OK)
        status = elm_tree_check(&t, names, &err);
    if (status == ELM_OK)
        status = elm_io_layout(&p->io, &err);
    if (status == ELM_OK)
        status = elm_vm_compile(&t, names, &p->io, &p->code, &err);
    if (status == ELM_OK) {
        elm_tree_print(&t, names, &p->printed);
        p->folds = folds_doubles(&t);
        p->in = elm_calloc(CASES, p->io.in_bytes);
        p->out = elm_calloc(CASES, p->io.out_bytes);
        for (uint32_t i = 0; i < CASES; i++) {
            uint64_t steps;
            generate_case(seed * CASES + i, &p->io, p->in + i * p->io.in_bytes);
            p->ends[i] = (uint8_t)elm_vm_run(p->code.ptr, m, p->in + i * p->io.in_bytes,
                                             p->out + i * p->io.out_bytes, FUEL, &steps);
            tally->cases++;
            tally->ok += p->ends[i] == ELM_VM_OK;
        }
        tally->programs++;
        tally->bad += !same_loaded(p, m);
    } else {
        fprintf(stderr, "seed %llu: %s\n%s\n", (unsigned long long)seed, err.message, p->text.ptr);
        tally->bad++;
    }
    elm_tree_release(&t);
    elm_names_free(names);
    return status == ELM_OK;
}

static void free_program(struct program *p)
{
    elm_buf_release(&p->text);
    elm_buf_release(&p->printed);
    elm_buf_release(&p->code);
    free(p->in);
    free(p->out);
}

typedef void shim_function(const void *in, void *out);

/* The first case that the compiled program answers otherwise; CASES: none. */
static uint32_t first_difference(const struct program *p, shim_function *shim)
{
    uint8_t *out = elm_malloc(p->io.out_bytes);
    uint32_t i = 0;
    for (; i < CASES; i++) {
        if (p->ends[i] != ELM_VM_OK)
            continue;
        memset(out, 0, p->io.out_bytes);
        /* a program that a compiler gets wrong may never come back */
        alarm(20);
        shim(p->in + i * p->io.in_bytes, out);
        alarm(0);
        if (!outputs_equal(&p->io, out, p->out + i * p->io.out_bytes))
            break;
    }
    free(out);
    return i;
}

static void compare(const struct program *p, shim_function *shim, const char *compiler,
                    struct tally *tally)
{
    uint32_t at = first_difference(p, shim);
    if (at == CASES)
        return;
    fprintf(stderr, "seed %llu, case %u: %s gives something else\n%s\n",
            (unsigned long long)p->seed, at, compiler, p->printed.ptr);
    tally->bad++;
}

static void add_symbols(TCCState *s)
{
    struct elm_names *names = elm_names_new();
    for (uint32_t i = 0; i < ELM_MATH_FUNCTIONS; i++) {
        const char *name = elm_names_text(names, i).ptr;
        tcc_add_symbol(s, name, dlsym(RTLD_DEFAULT, name));
    }
    tcc_add_symbol(s, "memset", dlsym(RTLD_DEFAULT, "memset"));
    tcc_add_symbol(s, "memcpy", dlsym(RTLD_DEFAULT, "memcpy"));
    elm_names_free(names);
}

static void by_tcc(const struct program *p, struct tally *tally)
{
    TCCState *s = tcc_new();
    struct elm_buf text = {0};
    char name[80];
    tcc_set_options(s, "-nostdlib");
    tcc_set_output_type(s, TCC_OUTPUT_MEMORY);
    add_symbols(s);
    elm_buf_printf(&text, "%s%s", prelude, p->text.ptr);
    write_shim(&p->io, &text);
    snprintf(name, sizeof(name), "shim_%s", p->io.entry);
    shim_function *shim = NULL;
    if (tcc_compile_string(s, text.ptr) == 0 && tcc_relocate(s, TCC_RELOCATE_AUTO) >= 0)
        shim = (shim_function *)tcc_get_symbol(s, name);
    if (shim == NULL) {
        fprintf(stderr, "seed %llu: tcc refuses\n%s\n", (unsigned long long)p->seed, text.ptr);
        tally->bad++;
    } else if (p->folds) {
        tally->folded += first_difference(p, shim) != CASES;
    } else {
        compare(p, shim, "tcc", tally);
    }
    tcc_delete(s);
    elm_buf_release(&text);
}

/* Compiles the printed programs in one library; NULL when gcc refuses. */
static void *load_gcc(struct program *programs, uint32_t count)
{
    char folder[] = "/tmp/elm-vm-diff-XXXXXX", command[512], source[80], library[80];
    struct elm_buf text = {0};
    struct elm_error err;
    elm_buf_printf(&text, "%s", prelude);
    for (uint32_t i = 0; i < count; i++) {
        elm_buf_add_str(&text, elm_buf_str(&programs[i].printed));
        write_shim(&programs[i].io, &text);
    }
    if (mkdtemp(folder) == NULL)
        return NULL;
    snprintf(source, sizeof(source), "%s/p.c", folder);
    snprintf(library, sizeof(library), "%s/p.so", folder);
    snprintf(command, sizeof(command), "gcc -std=gnu17 -O2 -w -ffp-contract=off -fwrapv "
             "-fno-strict-aliasing -fno-builtin -shared -fPIC -o %s %s -lm", library, source);
    void *handle = NULL;
    if (elm_file_write(source, elm_buf_str(&text), &err) == ELM_OK && system(command) == 0)
        handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    unlink(source);
    unlink(library);
    rmdir(folder);
    elm_buf_release(&text);
    return handle;
}

static void by_gcc(struct program *programs, uint32_t count, struct tally *tally)
{
    void *library = load_gcc(programs, count);
    if (library == NULL) {
        fprintf(stderr, "gcc refuses one of seeds %llu..\n", (unsigned long long)programs[0].seed);
        tally->bad++;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        char name[80];
        snprintf(name, sizeof(name), "shim_%s", programs[i].io.entry);
        compare(&programs[i], (shim_function *)dlsym(library, name), "gcc", tally);
    }
    dlclose(library);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 150;
    struct elm_vm_memory *m = elm_vm_memory_new();
    struct program programs[BATCH];
    struct tally tally = {0};
    for (uint64_t done = 0; done < count;) {
        uint32_t made = 0;
        for (; done < count && made < BATCH; done++)
            made += make_program(&programs[made], seed + done, made, m, &tally);
        for (uint32_t i = 0; i < made; i++)
            by_tcc(&programs[i], &tally);
        by_gcc(programs, made, &tally);
        for (uint32_t i = 0; i < made; i++)
            free_program(&programs[i]);
    }
    elm_vm_memory_free(m);
    printf("vm_diff: %llu programs, %llu of %llu cases compared, %llu differences, "
           "%llu where tcc folds doubles\n",
           (unsigned long long)tally.programs, (unsigned long long)tally.ok,
           (unsigned long long)tally.cases, (unsigned long long)tally.bad,
           (unsigned long long)tally.folded);
    return tally.bad != 0 || tally.ok * 4 < tally.cases;
}
