/* scaffold: a new problem folder that runs as it is, to be changed into what is wanted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "problem/folder.h"

static const char yaml_text[] =
    "# what every key means: include/elm/problem.h\n"
    "summary: the larger of two whole numbers\n"
    "entry: \"int larger(int a, int b)\"\n"
    "cases: {shown: 64, scored: 64, audit: 64}\n"
    "limits: {fuel: 1000, nodes: 100, edit_nodes: 20}\n"
    "measures:\n"
    "  - {name: size, from: nodes, lo: 0, hi: 50, bins: 10}\n"
    "reference_fitness: 1\n"
    "target: 1\n"
    "best_known: 1\n"
    "best_known_source: every case right\n"
    "evaluations: 50000\n";

static const char seed_text[] =
    "int larger(int a, int b)\n"
    "{\n"
    "    return a;\n"
    "}\n";

static const char reference_text[] =
    "int larger(int a, int b)\n"
    "{\n"
    "    return a > b ? a : b;\n"
    "}\n";

static const char description_text[] =
    "Return the larger of two whole numbers.\n";

static const char judge_text[] =
    "/* larger: a judge to start from. It makes the cases and scores the answers; the candidate\n"
    " * runs elsewhere and never sees this file. include/elm/judge.h has the contract. */\n"
    "#include \"elm/judge.h\"\n"
    "\n"
    "#include <stdio.h>\n"
    "#include <string.h>\n"
    "\n"
    "/* the parameters and the answer of `entry:`, in order */\n"
    "struct in {\n"
    "    int32_t a, b;\n"
    "};\n"
    "struct out {\n"
    "    int32_t value, unused;\n"
    "};\n"
    "\n"
    "static uint64_t draw(uint64_t *s)\n"
    "{\n"
    "    uint64_t z = *s += 0x9e3779b97f4a7c15u;\n"
    "    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;\n"
    "    z = (z ^ z >> 27) * 0x94d049bb133111ebu;\n"
    "    return z ^ z >> 31;\n"
    "}\n"
    "\n"
    "static int32_t wanted(const struct in *c)\n"
    "{\n"
    "    return c->a > c->b ? c->a : c->b;\n"
    "}\n"
    "\n"
    "static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)\n"
    "{\n"
    "    (void)state;\n"
    "    uint64_t s = seed * ELM_SETS + set;\n"
    "    struct in *c = in;\n"
    "    for (int i = 0; i < max; i++) {\n"
    "        c[i].a = (int32_t)(draw(&s) % 201) - 100;\n"
    "        c[i].b = (int32_t)(draw(&s) % 201) - 100;\n"
    "    }\n"
    "    return max;\n"
    "}\n"
    "\n"
    "static void score(const void *state, int n, const void *in, const void *out,\n"
    "                  const struct elm_cost *cost, struct elm_result *result)\n"
    "{\n"
    "    (void)state;\n"
    "    (void)cost;\n"
    "    const struct in *c = in;\n"
    "    const struct out *o = out;\n"
    "    int right = 0;\n"
    "    for (int i = 0; i < n; i++)\n"
    "        right += result->pass[i] = o[i].value == wanted(&c[i]);\n"
    "    result->fitness = (double)right / n;\n"
    "}\n"
    "\n"
    "static void want(const void *state, int n, const void *in, void *out, uint8_t *want_mask)\n"
    "{\n"
    "    (void)state;\n"
    "    const struct in *c = in;\n"
    "    struct out *o = out;\n"
    "    memset(want_mask, 0, (size_t)n * sizeof(*o));\n"
    "    for (int i = 0; i < n; i++) {\n"
    "        o[i] = (struct out){wanted(&c[i]), 0};\n"
    "        memset(want_mask + (size_t)i * sizeof(*o), 1, sizeof(o->value));\n"
    "    }\n"
    "}\n"
    "\n"
    "static void explain(const void *state, const void *in, const void *out, char *text,\n"
    "                    size_t text_bytes)\n"
    "{\n"
    "    (void)state;\n"
    "    const struct in *c = in;\n"
    "    const struct out *o = out;\n"
    "    snprintf(text, text_bytes, \"a = %d, b = %d: wanted %d, got %d\", c->a, c->b, wanted(c),\n"
    "             o->value);\n"
    "}\n"
    "\n"
    "const struct elm_judge elm_judge = {\n"
    "    .version = ELM_JUDGE_VERSION,\n"
    "    .in_bytes = sizeof(struct in),\n"
    "    .out_bytes = sizeof(struct out),\n"
    "    .make = make,\n"
    "    .score = score,\n"
    "    .want = want,\n"
    "    .explain = explain,\n"
    "};\n";

static const struct {
    const char *file, *text;
} files[] = {
    {"problem.yaml", yaml_text}, {"seed.c", seed_text},               {"judge.c", judge_text},
    {"reference.c", reference_text}, {"description.md", description_text},
};

/* Takes away what a failed scaffold had written. */
static void undo(const char *path, size_t written)
{
    for (size_t i = 0; i < written; i++) {
        char *file = folder_file(path, files[i].file);
        unlink(file);
        free(file);
    }
    rmdir(path);
}

enum elm_status elm_problem_scaffold(const char *path, struct elm_error *err)
{
    char *plain = elm_strdup(path);
    for (size_t len = strlen(plain); len > 1 && plain[len - 1] == '/'; len--)
        plain[len - 1] = '\0';
    enum elm_status status = ELM_OK;
    if (!folder_name_ok(folder_name(plain))) {
        status = elm_fail(err, ELM_USAGE, "'%.80s' can't name a problem: letters, digits, '-', '_' "
                          "and '.' are allowed, 63 at most", folder_name(plain));
    } else if (mkdir(plain, 0777) != 0 && (rmdir(plain) != 0 || mkdir(plain, 0777) != 0)) {
        /* an empty folder is as good as none */
        bool there = errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR;
        status = elm_fail(err, there ? ELM_EXISTS : ELM_IO, "cannot make the folder '%s': %s",
                          plain, strerror(errno));
    } else {
        size_t written = 0;
        while (status == ELM_OK && written < ELM_COUNT(files)) {
            char *file = folder_file(plain, files[written].file);
            status = elm_file_write(file, elm_str(files[written].text), err);
            free(file);
            written += status == ELM_OK;
        }
        if (status != ELM_OK)
            undo(plain, written);
    }
    free(plain);
    return status;
}
