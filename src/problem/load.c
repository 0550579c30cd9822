/* load: problem.yaml and the files beside it into struct elm_problem. */
#include "problem/folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elm/cells.h"
#include "problem/yaml.h"

#define DESCRIPTION_BYTES_MAX (64 * 1024)
#define SET_BYTES_MAX (64u << 20)        /* of the cases of one set, each way */
#define STATE_BYTES_MAX (ELM_VM_STATE_SLOTS_MAX * 2)     /* two may play with 4 bytes a slot */
#define VARIANTS_MAX 256

struct loading {
    struct elm_problem p;
    struct yaml_file yaml;
    char *path;                          /* of problem.yaml */
    char *entry;
    char *seed_file, *reference_file;    /* reference_file: NULL where none is named */
    uint32_t runner, judge;
};

static const char *const runners[] = {"vm", "tcc", NULL};
enum { JUDGE_SCORE, JUDGE_COMPARE, JUDGE_REFERENCE };
static const char *const judges[] = {"score", "compare", "reference", NULL};
static const char *const directions[] = {"in", "out", "inout", "state", NULL};
static const char *const sources[] = {"judge", "nodes", "steps", NULL};

#define AT(member) offsetof(struct loading, member)

/* What a variant may say otherwise than the problem. */
#define VARIANT_FIELDS                                                                      \
    {"summary", FIELD_TEXT, AT(p.summary), 1, 200, NULL},                                   \
    {"seed", FIELD_FILE, AT(seed_file), 1, 63, NULL},                                       \
    {"reference", FIELD_FILE, AT(reference_file), 1, 63, NULL},                             \
    {"reference_fitness", FIELD_REAL, AT(p.reference_fitness), -1e300, 1e300, NULL},        \
    {"case_seed", FIELD_U64, AT(p.case_seed), 0, 18446744073709551615.0, NULL},                             \
    {"target", FIELD_REAL, AT(p.target), -1e300, 1e300, NULL},                              \
    {"best_known", FIELD_REAL, AT(p.best_known), -1e300, 1e300, NULL},                      \
    {"best_known_source", FIELD_TEXT, AT(p.best_known_source), 1, 300, NULL},               \
    {"hardness", FIELD_REAL, AT(p.hardness), 0, 1e6, NULL},                                 \
    {"hardness_search", FIELD_REAL, AT(p.hardness_search), 0, 1e15, NULL},                  \
    {"solve_rate", FIELD_REAL, AT(p.solve_rate), 0, 1, NULL},                               \
    {"evaluations", FIELD_U64, AT(p.budget_evaluations), 1, 1e15, NULL}

static const struct field variant_fields[] = {VARIANT_FIELDS};
static const struct field top_fields[] = {
    VARIANT_FIELDS,
    {"entry", FIELD_TEXT, AT(entry), 1, 1000, NULL},
    {"io", FIELD_MAP, 0, 0, 0, NULL},
    {"inputs", FIELD_MAP, 0, 0, 0, NULL},
    {"rounds", FIELD_U32, AT(p.rounds), 1, ELM_ROUNDS_MAX, NULL},
    {"runner", FIELD_CHOICE, AT(runner), 0, 0, runners},
    {"judge", FIELD_CHOICE, AT(judge), 0, 0, judges},
    {"needs_steps", FIELD_BOOL, AT(p.needs_steps), 0, 0, NULL},
    {"cases", FIELD_MAP, 0, 0, 0, NULL},
    {"limits", FIELD_MAP, 0, 0, 0, NULL},
    {"measures", FIELD_LIST, 0, 0, 0, NULL},
    {"tolerance", FIELD_REAL, AT(p.tolerance), 0, 1e300, NULL},
    {"archive", FIELD_WORD, AT(p.archive), 1, 31, NULL},
    {"selector", FIELD_WORD, AT(p.selector), 1, 31, NULL},
    {"niches", FIELD_U32, AT(p.niches), 2, 10000, NULL},
    {"variants", FIELD_MAP, 0, 0, 0, NULL},
};
static const struct field case_fields[] = {
    {"shown", FIELD_U32, AT(p.case_count[ELM_SET_SHOWN]), 1, ELM_CASES_MAX, NULL},
    {"scored", FIELD_U32, AT(p.case_count[ELM_SET_SCORED]), 1, ELM_CASES_MAX, NULL},
    {"audit", FIELD_U32, AT(p.case_count[ELM_SET_AUDIT]), 1, ELM_CASES_MAX, NULL},
};
static const struct field limit_fields[] = {
    {"fuel", FIELD_U64, AT(p.fuel), 1, 1e12, NULL},
    {"total_fuel", FIELD_U64, AT(p.total_fuel), 1, 1e15, NULL},
    {"cpu_ms", FIELD_U32, AT(p.cpu_ms), 1, 600000, NULL},
    {"memory_mb", FIELD_U32, AT(p.memory_mb), 1, 65536, NULL},
    {"nodes", FIELD_U32, AT(p.nodes_max), 1, ELM_NODES_MAX, NULL},
    {"edit_nodes", FIELD_U32, AT(p.edit_nodes_max), 1, ELM_NODES_MAX, NULL},
};

struct measure_text {
    char name[32];
    double lo, hi;
    uint32_t bins, from;
};
static const struct field measure_fields[] = {
    {"name", FIELD_WORD, offsetof(struct measure_text, name), 1, 31, NULL},
    {"lo", FIELD_REAL, offsetof(struct measure_text, lo), -1e300, 1e300, NULL},
    {"hi", FIELD_REAL, offsetof(struct measure_text, hi), -1e300, 1e300, NULL},
    {"bins", FIELD_U32, offsetof(struct measure_text, bins), 1, 256, NULL},
    {"from", FIELD_CHOICE, offsetof(struct measure_text, from), 0, 0, sources},
};

static enum elm_status read_map(struct loading *l, const char *key, const struct field *fields,
                                size_t count, struct elm_error *err)
{
    const struct yaml_node *map = yaml_get(l->yaml.root, key);
    return map == NULL ? ELM_OK : fields_read(&l->yaml, map, fields, count, l, err);
}

/* ---- measures ---- */

static enum elm_status read_measure(struct loading *l, const struct yaml_node *n,
                                    struct elm_error *err)
{
    struct elm_problem *p = &l->p;
    struct measure_text m = {.bins = 10, .lo = NAN, .hi = NAN};
    if (p->measure_count == ELM_MEASURES_MAX)
        return yaml_fail(&l->yaml, n, err, "%d measures are allowed", ELM_MEASURES_MAX);
    ELM_TRY(fields_read(&l->yaml, n, measure_fields, ELM_COUNT(measure_fields), &m, err));
    if (m.name[0] == '\0' || !(m.lo < m.hi))
        return yaml_fail(&l->yaml, n, err, "a measure needs name, lo and hi, lo below hi");
    for (uint32_t i = 0; i < p->measure_count; i++) {
        if (strcmp(p->measures[i].name, m.name) == 0)
            return yaml_fail(&l->yaml, n, err, "measure '%s' is there already", m.name);
    }
    struct elm_measure *out = &p->measures[p->measure_count++];
    *out = (struct elm_measure){.lo = m.lo, .hi = m.hi, .bins = m.bins, .source = (uint8_t)m.from};
    memcpy(out->name, m.name, sizeof(out->name));
    return ELM_OK;
}

static enum elm_status read_measures(struct loading *l, struct elm_error *err)
{
    const struct yaml_node *list = yaml_get(l->yaml.root, "measures");
    if (list == NULL)
        return ELM_OK;
    for (const struct yaml_node *n = list->first; n != NULL; n = n->next)
        ELM_TRY(read_measure(l, n, err));
    uint64_t cells = 1;
    for (uint32_t d = 0; d < l->p.measure_count; d++)
        cells *= l->p.measures[d].bins;
    if (cells > ELM_CELLS_MAX)
        return yaml_fail(&l->yaml, list, err, "%llu cells, the product of all bins: %u are allowed; "
                         "archive cvt needs no bins", (unsigned long long)cells, ELM_CELLS_MAX);
    return ELM_OK;
}

/* ---- entry and io ---- */

static enum elm_status read_entry_tree(struct loading *l, const struct yaml_node *at,
                                       struct elm_tree *tree, struct elm_error *err)
{
    struct elm_buf text = {0};
    struct elm_error why = {0};
    elm_buf_printf(&text, "%s { }", l->entry);
    enum elm_status status = elm_tree_parse(elm_buf_str(&text), l->p.names, tree, &why);
    elm_buf_release(&text);
    if (status != ELM_OK)
        return yaml_fail(&l->yaml, at, err, "'%.100s' is no function head in core C, such as "
                         "\"int f(int a, double b[8])\": %.150s", l->entry, why.message);
    const struct elm_node *f = &tree->nodes[1];
    /* one function with an empty body: its kids are its parameters and the block */
    if (tree->nodes[0].kids == 1 && f->kind == ELM_NODE_FUNCTION && f->size == f->kids + 1u)
        return ELM_OK;
    elm_tree_release(tree);
    return yaml_fail(&l->yaml, at, err, "one function head is allowed, such as "
                     "\"int f(int a, double b[8])\", not '%.100s'", l->entry);
}

static void copy_name(char out[ELM_NAME_BYTES_MAX + 1], const struct elm_names *names,
                      uint32_t name)
{
    struct elm_str s = elm_names_text(names, name);
    memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
}

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

static enum elm_status read_params(struct loading *l, const struct yaml_node *at,
                                   const struct elm_node *f, struct elm_error *err)
{
    struct elm_io *io = &l->p.io;
    if (f->kids - 1 > ELM_PARAMS_MAX)
        return yaml_fail(&l->yaml, at, err, "%d parameters are allowed", ELM_PARAMS_MAX);
    copy_name(io->entry, l->p.names, f->name);
    io->returns = f->type;
    for (uint32_t i = 0; i + 1 < f->kids; i++) {
        const struct elm_node *n = &f[1 + i];
        struct elm_io_param *p = &io->params[io->param_count++];
        copy_name(p->name, l->p.names, n->name);
        p->type = n->type;
        p->dims[0] = n->dims[0];
        p->dims[1] = n->dims[1];
        if (is_array(p->type) && p->dims[0] == 0)
            return yaml_fail(&l->yaml, at, err, "array '%s' needs its size: '%s[8]'", p->name,
                             p->name);
    }
    return ELM_OK;
}

static enum elm_status read_directions(struct loading *l, struct elm_error *err)
{
    struct elm_io *io = &l->p.io;
    const struct yaml_node *map = yaml_get(l->yaml.root, "io");
    struct field fields[ELM_PARAMS_MAX];
    uint32_t values[ELM_PARAMS_MAX] = {0}, count = 0;
    for (uint32_t i = 0; i < io->param_count; i++) {
        if (is_array(io->params[i].type))
            fields[count++] = (struct field){io->params[i].name, FIELD_CHOICE,
                                             i * sizeof(values[0]), 0, 0, directions};
    }
    if (map != NULL && count == 0)
        return yaml_fail(&l->yaml, map, err, "the entry has no arrays: nothing to say here");
    if (map != NULL)
        ELM_TRY(fields_read(&l->yaml, map, fields, count, values, err));
    bool answers = io->returns != ELM_TYPE_NONE;
    for (uint32_t i = 0; i < io->param_count; i++) {
        io->params[i].direction = (uint8_t)values[i];
        answers = answers || values[i] == ELM_IO_OUT || values[i] == ELM_IO_INOUT;
        if (values[i] == ELM_IO_STATE && l->p.rounds == 0)
            return yaml_fail(&l->yaml, map, err, "'%s' can be `state` only where there are "
                             "`rounds:` that it is kept between", io->params[i].name);
    }
    if (!answers)
        return yaml_fail(&l->yaml, yaml_get(l->yaml.root, "entry"), err,
                         "nothing comes back: return a value or mark an array `out` under `io:`");
    return ELM_OK;
}

static enum elm_status read_entry(struct loading *l, struct elm_error *err)
{
    const struct yaml_node *at = yaml_get(l->yaml.root, "entry");
    struct elm_tree tree;
    struct elm_error why = {0};
    if (at == NULL)
        return yaml_fail(&l->yaml, l->yaml.root, err,
                         "key 'entry' is missing: the function evolved, such as "
                         "\"int f(int a, double b[8])\"");
    ELM_TRY(read_entry_tree(l, at, &tree, err));
    enum elm_status status = read_params(l, at, &tree.nodes[1], err);
    elm_tree_release(&tree);
    if (status == ELM_OK)
        status = read_directions(l, err);
    if (status == ELM_OK && elm_io_layout(&l->p.io, &why) != ELM_OK)
        status = yaml_fail(&l->yaml, at, err, "%.200s", why.message);
    return status;
}

/* ---- inputs ---- */

static bool read_end(const struct yaml_node *n, bool real, double *out)
{
    if (n == NULL || n->kind != YAML_SCALAR || n->text[0] == '\0')
        return false;
    char *end;
    *out = strtod(n->text, &end);
    if (*end != '\0' || !(fabs(*out) <= (real ? 1e100 : INT32_MAX)))
        return false;
    return real || *out == floor(*out);
}

static enum elm_status read_range(struct loading *l, const struct yaml_node *n, uint32_t param,
                                  struct elm_error *err)
{
    const struct elm_io_param *p = &l->p.io.params[param];
    struct elm_range *r = &l->p.inputs[param];
    bool real = p->type == ELM_TYPE_DOUBLE || p->type == ELM_TYPE_DOUBLE_ARRAY;
    const struct yaml_node *lo = n->kind == YAML_LIST ? n->first : NULL;
    const struct yaml_node *hi = lo == NULL ? NULL : lo->next;
    if (!read_end(lo, real, &r->lo) || !read_end(hi, real, &r->hi) || hi->next != NULL ||
        r->lo > r->hi)
        return yaml_fail(&l->yaml, n, err, "a list of the least and the greatest %s is allowed, "
                         "such as [%s]", real ? "number" : "int", real ? "0.5, 2" : "-9, 9");
    return ELM_OK;
}

/* Of a judge that is a reference: a range for every parameter that is an input. */
static enum elm_status read_inputs(struct loading *l, struct elm_error *err)
{
    const struct elm_io *io = &l->p.io;
    const struct yaml_node *map = yaml_get(l->yaml.root, "inputs");
    if (l->judge != JUDGE_REFERENCE)
        return map == NULL ? ELM_OK : yaml_fail(&l->yaml, map, err, "only with `judge: reference`");
    if (l->p.rounds > 0)
        return yaml_fail(&l->yaml, yaml_get(l->yaml.root, "rounds"), err,
                         "not with `judge: reference`");
    for (uint32_t i = 0; i < l->p.measure_count; i++) {
        if (l->p.measures[i].source == ELM_MEASURE_JUDGE)
            return yaml_fail(&l->yaml, yaml_get(l->yaml.root, "measures"), err, "with `judge: "
                             "reference` only `from: nodes` and `from: steps`");
    }
    struct field fields[ELM_PARAMS_MAX];
    uint32_t wanted[ELM_PARAMS_MAX], count = 0;
    for (uint32_t i = 0; i < io->param_count; i++) {
        if (io->params[i].in_offset == UINT32_MAX)
            continue;
        fields[count] = (struct field){io->params[i].name, FIELD_LIST, 0, 0, 0, NULL};
        wanted[count++] = i;
    }
    if (map != NULL)
        ELM_TRY(fields_read(&l->yaml, map, fields, count, l, err));
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *n = map == NULL ? NULL : yaml_get(map, fields[i].key);
        if (n == NULL)
            return yaml_fail(&l->yaml, map == NULL ? l->yaml.root : map, err, "`judge: reference` "
                             "needs the range of '%s', such as `inputs: {%s: [0, 9]}`",
                             fields[i].key, fields[i].key);
        ELM_TRY(read_range(l, n, wanted[i], err));
    }
    return ELM_OK;
}

/* ---- parts ---- */

static enum elm_status check_part(struct loading *l, const char *key, const char *name, bool known,
                                  const struct elm_buf *names, struct elm_error *err)
{
    const struct yaml_node *at = yaml_get(l->yaml.root, key);
    return known ? ELM_OK
                 : yaml_fail(&l->yaml, at != NULL ? at : l->yaml.root, err,
                             "one of %.200s is allowed, not '%s'", names->ptr, name);
}

static enum elm_status choose_parts(struct loading *l, struct elm_error *err)
{
    struct elm_problem *p = &l->p;
    if (p->archive[0] == '\0')
        strcpy(p->archive, l->judge == JUDGE_COMPARE ? "topk" : p->measure_count > 0 ? "grid" : "rooted");
    if (p->selector[0] == '\0')
        strcpy(p->selector, "power");
    struct elm_buf names = {0};
    for (size_t i = 0; elm_archive_kinds[i] != NULL; i++)
        elm_buf_printf(&names, "%s%s", i > 0 ? ", " : "", elm_archive_kinds[i]->name);
    enum elm_status status = check_part(l, "archive", p->archive,
                                        elm_archive_find(p->archive) != NULL, &names, err);
    elm_buf_clear(&names);
    for (size_t i = 0; elm_selector_kinds[i] != NULL; i++)
        elm_buf_printf(&names, "%s%s", i > 0 ? ", " : "", elm_selector_kinds[i]->name);
    if (status == ELM_OK)
        status = check_part(l, "selector", p->selector, elm_selector_find(p->selector) != NULL,
                            &names, err);
    elm_buf_release(&names);
    return status;
}

/* ---- variants ---- */

static enum elm_status unknown_variant(const struct loading *l, const char *variant,
                                       struct elm_error *err)
{
    struct elm_buf list = {0};
    struct nearest near = {.word = variant};
    for (uint32_t i = 0; i < l->p.variant_count; i++) {
        nearest_offer(&near, l->p.variants[i]);
        elm_buf_printf(&list, "%s%s", i > 0 ? ", " : "", l->p.variants[i]);
    }
    const char *name = folder_name(l->p.folder);
    enum elm_status status;
    if (list.len == 0)
        status = elm_fail(err, ELM_NOT_FOUND, "problem '%s' has no variants, '%.60s' was asked for",
                          name, variant);
    else
        status = elm_fail(err, ELM_NOT_FOUND, "problem '%s' has no variant '%.60s'%s%s; it has "
                          "%.250s", name, variant, nearest_found(&near) ? ", did you mean " : "",
                          near.best, list.ptr);
    elm_buf_release(&list);
    return status;
}

static void release_texts(struct loading *l)
{
    free(l->seed_file);
    free(l->reference_file);
    free(l->entry);
    free(l->path);
}

/* Every variant is read, so that a mistake is found before it is asked for; one is taken. */
static enum elm_status read_variant(struct loading *l, const struct yaml_node *n,
                                    struct elm_error *err)
{
    if (!folder_name_ok(n->key) || strlen(n->key) > 31)
        return yaml_fail(&l->yaml, n, err, "no name for a variant: letters, digits, '-', '_' and "
                         "'.' are allowed, 31 at most");
    struct elm_problem *p = &l->p;
    if (p->variant_count == VARIANTS_MAX)
        return yaml_fail(&l->yaml, n, err, "%d variants are allowed", VARIANTS_MAX);
    p->variants[p->variant_count++] = elm_strdup(n->key);
    if (strcmp(n->key, p->variant) != 0) {
        struct loading other = {0};
        enum elm_status status = fields_read(&l->yaml, n, variant_fields,
                                             ELM_COUNT(variant_fields), &other, err);
        free(other.p.summary);
        free(other.p.best_known_source);
        release_texts(&other);
        return status;
    }
    /* another target has another solution */
    if (yaml_get(n, "case_seed") != NULL && l->judge != JUDGE_REFERENCE) {
        free(l->reference_file);
        l->reference_file = elm_strdup("");
        p->reference_fitness = NAN;
    }
    return fields_read(&l->yaml, n, variant_fields, ELM_COUNT(variant_fields), l, err);
}

static enum elm_status read_variants(struct loading *l, struct elm_error *err)
{
    const struct yaml_node *map = yaml_get(l->yaml.root, "variants");
    l->p.variants = elm_calloc(VARIANTS_MAX, sizeof(l->p.variants[0]));
    for (const struct yaml_node *n = map == NULL ? NULL : map->first; n != NULL; n = n->next)
        ELM_TRY(read_variant(l, n, err));
    bool found = l->p.variant[0] == '\0';
    for (uint32_t i = 0; i < l->p.variant_count; i++)
        found = found || strcmp(l->p.variants[i], l->p.variant) == 0;
    return found ? ELM_OK : unknown_variant(l, l->p.variant, err);
}

/* ---- the files ---- */

static enum elm_status read_file(const struct elm_problem *p, const char *file, size_t max,
                                 char **out, struct elm_error *err)
{
    struct elm_buf text = {0};
    char *path = folder_file(p->folder, file);
    enum elm_status status = folder_read(path, max, &text, err);
    if (status == ELM_OK && strlen(text.ptr) != text.len)
        status = elm_fail(err, ELM_PARSE, "'%s' holds a zero byte: it is not text", path);
    free(path);
    if (status != ELM_OK) {
        elm_buf_release(&text);
        return status;
    }
    *out = text.ptr;
    return ELM_OK;
}

static enum elm_status place_error(const struct elm_problem *p, const char *file,
                                   const struct elm_error *why, struct elm_error *err)
{
    return elm_fail(err, why->status, "%s/%s: %s", p->folder, file, why->message);
}

static enum elm_status read_seed(struct loading *l, struct elm_error *err)
{
    struct elm_problem *p = &l->p;
    struct elm_error why = {0};
    const char *file = l->seed_file == NULL ? "seed.c" : l->seed_file;
    ELM_TRY(read_file(p, file, ELM_TEXT_BYTES_MAX, &p->seed_text, err));
    struct elm_tree tree;
    enum elm_status status = elm_tree_parse(elm_str(p->seed_text), p->names, &tree, &why);
    if (status == ELM_OK) {
        status = elm_tree_check(&tree, p->names, &why);
        if (status != ELM_OK)
            elm_tree_release(&tree);
    }
    if (status != ELM_OK) {
        p->seed_outside = elm_strdup(why.message);
        return p->needs_steps ? place_error(p, file, &why, err) : ELM_OK;
    }
    p->seed = tree;
    if (elm_io_match(&p->io, &p->seed, p->names, &why) != ELM_OK)
        return place_error(p, file, &why, err);
    if (p->seed.count > p->nodes_max)
        return elm_fail(err, ELM_RANGE, "%s/%s has %u nodes, problem.yaml allows %u: raise `nodes` "
                        "under `limits:`", p->folder, file, p->seed.count, p->nodes_max);
    return ELM_OK;
}

/* The reference is the judge: it has to be core C, and a solution. */
static enum elm_status check_reference(struct loading *l, const char *file, struct elm_error *err)
{
    struct elm_problem *p = &l->p;
    struct elm_error why = {0};
    struct elm_tree tree = {0};
    if (p->reference_text == NULL)
        return elm_fail(err, ELM_NOT_FOUND, "there is no '%s/reference.c', which `judge: reference` "
                        "needs", p->folder);
    enum elm_status status = elm_tree_parse(elm_str(p->reference_text), p->names, &tree, &why);
    if (status == ELM_OK)
        status = elm_tree_check(&tree, p->names, &why);
    if (status == ELM_OK)
        status = elm_io_match(&p->io, &tree, p->names, &why);
    elm_tree_release(&tree);
    return status == ELM_OK ? ELM_OK : place_error(p, file, &why, err);
}

static enum elm_status read_texts(struct loading *l, struct elm_error *err)
{
    struct elm_problem *p = &l->p;
    ELM_TRY(read_seed(l, err));
    if (folder_has(p->folder, "description.md"))
        ELM_TRY(read_file(p, "description.md", DESCRIPTION_BYTES_MAX, &p->description, err));
    else
        p->description = elm_strdup("");
    const char *reference = l->reference_file;
    if (reference == NULL && folder_has(p->folder, "reference.c"))
        reference = "reference.c";
    if (reference != NULL && reference[0] != '\0')
        ELM_TRY(read_file(p, reference, ELM_TEXT_BYTES_MAX, &p->reference_text, err));
    if (p->by_reference)
        return check_reference(l, reference, err);
    if (!folder_has(p->folder, "judge.c"))
        return elm_fail(err, ELM_NOT_FOUND, "there is no '%s/judge.c'; `elm new NAME` writes one to "
                        "start from", p->folder);
    return ELM_OK;
}

static enum elm_status check_sizes(struct loading *l, struct elm_error *err)
{
    const struct elm_problem *p = &l->p;
    const struct yaml_node *at = yaml_get(l->yaml.root, "cases");
    uint32_t bytes = p->io.in_bytes > p->io.out_bytes ? p->io.in_bytes : p->io.out_bytes;
    if (at == NULL)
        at = l->yaml.root;
    for (int set = 0; set < ELM_SETS; set++) {
        uint32_t cases = p->case_count[set];
        if ((uint64_t)cases * bytes > SET_BYTES_MAX)
            return yaml_fail(&l->yaml, at, err, "%u cases of %u bytes are more than the %u MiB "
                             "allowed", cases, bytes, SET_BYTES_MAX >> 20);
        if ((uint64_t)cases * p->io.state_bytes > STATE_BYTES_MAX)
            return yaml_fail(&l->yaml, at, err, "%u lanes with %u bytes of state are more than the "
                             "%u MiB allowed", cases, p->io.state_bytes, STATE_BYTES_MAX >> 20);
    }
    return ELM_OK;
}

static enum elm_status read_all(struct loading *l, struct elm_error *err)
{
    struct elm_problem *p = &l->p;
    ELM_TRY(fields_read(&l->yaml, l->yaml.root, top_fields, ELM_COUNT(top_fields), l, err));
    if (p->summary == NULL)
        return yaml_fail(&l->yaml, l->yaml.root, err,
                         "key 'summary' is missing: one line on what is wanted");
    ELM_TRY(read_map(l, "cases", case_fields, ELM_COUNT(case_fields), err));
    ELM_TRY(read_map(l, "limits", limit_fields, ELM_COUNT(limit_fields), err));
    ELM_TRY(read_measures(l, err));
    ELM_TRY(read_entry(l, err));
    ELM_TRY(read_inputs(l, err));
    ELM_TRY(choose_parts(l, err));
    ELM_TRY(check_sizes(l, err));
    ELM_TRY(read_variants(l, err));
    p->runner = l->runner == 0 ? ELM_RUNNER_VM : ELM_RUNNER_TCC;
    p->judge = l->judge == JUDGE_COMPARE ? ELM_JUDGE_COMPARE : ELM_JUDGE_SCORE;
    p->by_reference = l->judge == JUDGE_REFERENCE;
    return read_texts(l, err);
}

enum elm_status elm_problem_load(const char *name, const char *problems_path,
                                 struct elm_problem **out, struct elm_error *err)
{
    struct folder folder;
    ELM_TRY(folder_find(name, problems_path, &folder, err));
    struct loading l = {.p = problem_defaults(), .path = folder_file(folder.path, "problem.yaml")};
    l.p.folder = folder.path;
    l.p.variant = folder.variant;
    l.p.name = elm_strdup(folder_name(folder.path));
    l.p.names = elm_names_new();
    enum elm_status status = yaml_open(l.path, &l.yaml, err);
    if (status == ELM_OK) {
        status = read_all(&l, err);
        yaml_close(&l.yaml);
    }
    release_texts(&l);
    struct elm_problem *p = elm_malloc(sizeof(*p));
    *p = l.p;
    if (status != ELM_OK) {
        elm_problem_free(p);
        return status;
    }
    *out = p;
    return ELM_OK;
}
