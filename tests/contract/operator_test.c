/* operator: what every registered operator owes, on seeds of all kinds and what evolves of them. */
#include "../operator_rig.h"

#define ROUNDS 150               /* calls on each seed, each on the child of the last */
#define CHECKED_SHARE 0.98       /* of the children that must pass elm_tree_check */

static const char *const seeds[] = {
    /* plain, straight-line, with locals to spare */
    "int f(int a, int b)\n{\nint t = a & b;\nint u = a ^ b;\nint v = t | 3;\nreturn u + v;\n}\n",
    /* one-node bodies */
    "int f(int a)\n{\nreturn a;\n}\n",
    "int f(int a)\n{\nreturn 7;\n}\n",
    "void f(int a, int out[2])\n{\n}\n",
    /* branches, loops, jumps, calls, recursion */
    "int g(int n)\n{\nif (n < 2) {\nreturn n;\n}\nreturn g(n - 1) + g(n - 2);\n}\n"
    "int f(int a, int b)\n{\nint s = 0;\nfor (int i = 0; i < 5; i++) {\nif (i == b) {\n"
    "continue;\n}\n"
    "s += g(i) * a;\nif (s > 1000) {\nbreak;\n}\n}\nreturn s;\n}\n",
    "int f(int a, int b)\n{\nint n = 0;\ndo {\nn++;\na /= 2;\n} while (a > 0 && n < 9);\n"
    "while (b > 3) {\nb = b - 3;\n}\nreturn n > b ? n : b;\n}\n",
    "int f(int a)\n{\nfor (;;) {\na++;\nif (a > 9) {\nreturn a;\n}\n}\n}\n",
    "int f(int a)\n{\nif (a > 0) {\nreturn 1;\n} else if (a < 0) {\n"
    "return -1;\n} else {\nreturn 0;\n}\n}\n",
    /* doubles, casts, math.h */
    "double f(double x, double y, int n)\n{\ndouble z = x * y - 0.5;\nz += sin(x) / 2.0;\n"
    "return fmax(z, (double)n) + (int)(y * 1.5);\n}\n",
    /* arrays of one and two dimensions, several outputs */
    "void f(int in[6], double w[2][3], int out[6], double outs[2])\n{\nint t[3] = {1, 2, 3};\n"
    "for (int i = 0; i < 6; i++) {\nout[i] = in[i] * t[i % 3];\n}\nouts[0] = w[0][1] + w[1][2];\n"
    "outs[1] = outs[0] * 2.0;\n}\n",
    /* allowed, though nobody writes it */
    "int f(int a)\n{\n{\n}\n;\nfor (int i = 0; i < 0; i++) {\n}\nwhile (0) {\n;\n}\n"
    "return - -a;\n}\n",
    "int f(int a)\n{\nint t;\nt = a;\n{\nint t = 3;\na = t;\n}\nreturn t;\n}\n",
    "int f(int a)\n{\nreturn a;\na = 1;\nreturn a / 0;\n}\n",
    "int f(int a)\n{\nint t = 0;\nint u = t = a - 2;\nreturn u * (t++ > 3);\n}\n",
};

struct tally {
    uint32_t calls, children, checked;
};

/* A call; the edits' bytes for comparison. */
static enum elm_status call(const struct elm_operator_kind *op, void *self, struct rig *r,
                            const struct elm_operator_context *context, uint64_t stream,
                            struct elm_edit *edits, uint32_t *count, struct elm_buf *bytes)
{
    struct elm_rng rng = elm_rng(11, stream);
    struct elm_parent two[2] = {r->parent, r->seed};
    struct elm_parents parents = {two, 1 + (uint32_t)(stream % 2)};
    struct elm_error err = {0};
    elm_arena_clear(&r->arena);
    enum elm_status s = op->mutate(self, context, &parents, &rng, edits, count, &err);
    if (s != ELM_OK && s != ELM_NOT_FOUND)
        fail_msg("%s: %s", op->name, err.message);
    elm_buf_clear(bytes);
    if (s == ELM_OK)
        elm_edits_encode(edits, *count, bytes);
    return s;
}

static void *make(const struct elm_operator_kind *op, const struct rig *r)
{
    return op->make != NULL ? op->make(&r->problem) : NULL;
}

static void drop(const struct elm_operator_kind *op, void *self)
{
    if (op->free != NULL)
        op->free(self);
}

/* The child must keep within the caps; a checked one takes the parent's place now and then. */
static void use_child(struct rig *r, const struct elm_operator_kind *op,
                      const struct elm_edit *edits, uint32_t count, struct tally *tally,
                      struct elm_tree *parent)
{
    struct elm_tree child;
    struct elm_error err = {0};
    uint32_t put = 0;
    assert_in_range(count, 1, ELM_EDITS_MAX);
    for (uint32_t i = 0; i < count; i++)
        put += edits[i].put_count;
    if (put > r->problem.edit_nodes_max)
        fail_msg("%s puts %u nodes, %u are allowed", op->name, put, r->problem.edit_nodes_max);
    if (elm_tree_edit(parent, edits, count, &child, &err) != ELM_OK)
        fail_msg("%s: %s", op->name, err.message);
    tally->children++;
    if (child.count > r->problem.nodes_max)
        fail_msg("%s makes %u nodes, %u are allowed", op->name, child.count, r->problem.nodes_max);
    bool ok = elm_tree_check(&child, r->problem.names, &err) == ELM_OK;
    tally->checked += ok;
    if (!ok || tally->calls % 3 != 0) {
        elm_tree_release(&child);
        return;
    }
    elm_pool_add(r->pool, &child);
    elm_tree_release(parent);
    *parent = child;
    r->parent.id++;
    r->parent.editable_count = elm_tree_editable(parent, r->problem.names, r->editable);
}

static void walk(const struct elm_operator_kind *op, const char *seed, struct tally *tally)
{
    struct rig r;
    rig_open(&r, seed, NULL);
    /* outputs that nothing meets: semantic has work on every program */
    r.want = elm_malloc((size_t)RIG_CASES * r.problem.io.out_bytes);
    r.mask = elm_malloc((size_t)RIG_CASES * r.problem.io.out_bytes);
    memset(r.want, 3, (size_t)RIG_CASES * r.problem.io.out_bytes);
    memset(r.mask, 1, (size_t)RIG_CASES * r.problem.io.out_bytes);
    r.evidence.want = r.want;
    r.evidence.want_mask = r.mask;
    struct elm_tree parent = elm_tree_copy(&r.problem.seed);
    r.parent.tree = &parent;
    void *self = make(op, &r);
    struct elm_operator_context context = rig_context(&r);
    struct elm_buf first = {0}, again = {0};
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct elm_edit edits[ELM_EDITS_MAX];
        uint32_t count;
        tally->calls++;
        enum elm_status s = call(op, self, &r, &context, i, edits, &count, &first);
        /* once more on fresh memory: what was asked before is only a cache */
        if (i % 10 == 0) {
            void *fresh = make(op, &r);
            assert_int_equal(call(op, fresh, &r, &context, i, edits, &count, &again), s);
            assert_true(elm_str_equal(elm_buf_str(&first), elm_buf_str(&again)));
            drop(op, fresh);
        }
        if (s == ELM_OK)
            use_child(&r, op, edits, count, tally, &parent);
    }
    elm_buf_release(&first);
    elm_buf_release(&again);
    drop(op, self);
    elm_tree_release(&parent);
    rig_close(&r);
}

/* Sanitizers run without the built-in model: it would take most of their time. */
static bool lacks_model(const struct elm_operator_kind *op)
{
    return op->model != NULL && op->model(NULL, NULL) != ELM_OK;
}

static void children_pass(void **state)
{
    (void)state;
    for (size_t k = 0; elm_operator_kinds[k] != NULL; k++) {
        struct tally tally = {0};
        if (elm_operator_kinds[k]->mutate == NULL || lacks_model(elm_operator_kinds[k]))
            continue;
        for (size_t i = 0; i < ELM_COUNT(seeds); i++)
            walk(elm_operator_kinds[k], seeds[i], &tally);
        if (tally.children == 0 || tally.checked < CHECKED_SHARE * tally.children)
            fail_msg("%s: %u calls, %u children, %u pass", elm_operator_kinds[k]->name,
                     tally.calls, tally.children, tally.checked);
    }
}

/* No outputs wanted, no evidence at all, an empty pool, none; caps that leave no room. */
static void works_without(void **state)
{
    (void)state;
    for (size_t k = 0; elm_operator_kinds[k] != NULL; k++) {
        const struct elm_operator_kind *op = elm_operator_kinds[k];
        for (size_t i = 0; op->mutate != NULL && i < ELM_COUNT(seeds); i++) {
            struct rig r;
            rig_open(&r, seeds[i], NULL);
            struct elm_pool *empty = elm_pool_new();
            void *self = make(op, &r);
            struct elm_buf bytes = {0};
            for (uint64_t n = 0; n < 40; n++) {
                struct elm_operator_context context = rig_context(&r);
                struct elm_edit edits[ELM_EDITS_MAX];
                uint32_t count;
                struct tally tally = {.calls = 1};
                struct elm_tree parent = elm_tree_copy(r.parent.tree);
                context.evidence = n % 2 == 0 ? &r.evidence : NULL;
                context.pool = n % 4 < 2 ? empty : NULL;
                r.problem.edit_nodes_max = n % 8 < 4 ? 20 : (uint32_t)(n % 4);
                r.problem.nodes_max = n % 16 < 8 ? 200 : r.problem.seed.count;
                if (call(op, self, &r, &context, n, edits, &count, &bytes) == ELM_OK)
                    use_child(&r, op, edits, count, &tally, &parent);
                elm_tree_release(&parent);
            }
            elm_buf_release(&bytes);
            drop(op, self);
            elm_pool_free(empty);
            rig_close(&r);
        }
    }
}

static void leaves_the_rest_alone(void **state)
{
    (void)state;
    static const char before[] = "int g(int a)\n{\n    return a * 3 + 1;\n}\n\n"
                                 "int f(int a, int b)\n{\n    int t = a + 2;\n"
                                 "    // EVOLVE-BLOCK-START\n";
    static const char after[] = "    // EVOLVE-BLOCK-END\n    return t - 4;\n}\n";
    /* the second is small enough for the pool to have the block with its markers */
    static const char *const changing[] = {
        "    t = t * b;\n    if (t > 9) {\n        t = t - 5;\n    }\n", "    t = t * b + 2;\n"};
    for (size_t k = 0; elm_operator_kinds[k / 2] != NULL; k++) {
        const struct elm_operator_kind *op = elm_operator_kinds[k / 2];
        if (op->mutate == NULL || lacks_model(op))
            continue;
        char text[1024];
        snprintf(text, sizeof(text), "%s%s%s", before, changing[k % 2], after);
        struct rig r;
        rig_open(&r, text, "int f(int a, int b)\n{\nreturn a * b + 6;\n}\n");
        struct elm_operator_context context = rig_context(&r);
        void *self = make(op, &r);
        struct elm_buf bytes = {0}, printed = {0};
        uint32_t children = 0;
        for (uint64_t n = 0; n < 300; n++) {
            struct elm_edit edits[ELM_EDITS_MAX];
            uint32_t count;
            struct elm_tree child;
            if (call(op, self, &r, &context, n, edits, &count, &bytes) != ELM_OK)
                continue;
            assert_int_equal(elm_tree_edit(r.parent.tree, edits, count, &child, NULL), ELM_OK);
            elm_buf_clear(&printed);
            elm_tree_print(&child, r.problem.names, &printed);
            size_t tail = strlen(after);
            const char *marker = strstr(printed.ptr, "EVOLVE-BLOCK-START");
            bool kept = printed.len >= strlen(before) + tail && marker != NULL &&
                        strstr(marker + 1, "EVOLVE-BLOCK-START") == NULL &&
                        memcmp(printed.ptr, before, strlen(before)) == 0 &&
                        memcmp(printed.ptr + printed.len - tail, after, tail) == 0;
            if (!kept)
                fail_msg("%s changes what it may not:\n%s", op->name, printed.ptr);
            children++;
            elm_tree_release(&child);
        }
        assert_in_range(children, 20, 300);
        elm_buf_release(&bytes);
        elm_buf_release(&printed);
        drop(op, self);
        rig_close(&r);
    }
}

static void says_why_it_cannot(void **state)
{
    (void)state;
    struct elm_problem outside = {0};
    struct rig r;
    rig_open(&r, seeds[0], "int f(int a, int b)\n{\nreturn b;\n}\n");
    for (size_t k = 0; elm_operator_kinds[k] != NULL; k++) {
        const struct elm_operator_kind *op = elm_operator_kinds[k];
        const char *why = NULL;
        assert_ptr_equal(elm_operator_find(op->name), op);
        assert_true(strlen(op->summary) > 0 && op->price_us > 0);
        assert_in_range(op->parents_min, 1, 2);
        bool asks = op->prompt != NULL;
        assert_true(asks ? op->parse != NULL && op->mutate == NULL && op->rewrite == NULL
                         : op->mutate != NULL || op->rewrite != NULL);
        if (asks) {
            assert_false(op->applies(&outside, NULL, NULL));
            assert_false(op->applies(&outside, NULL, &why));
            assert_true(why != NULL && strlen(why) > 0);
        }
        if (op->mutate == NULL || lacks_model(op))
            continue;
        assert_true(op->applies(&r.problem, &r.evidence, &why));
        assert_null(why);
        assert_false(op->applies(&outside, &r.evidence, NULL));
        assert_false(op->applies(&outside, &r.evidence, &why));
        assert_non_null(why);
        assert_true(strlen(why) > 0);
        /* a parent outside core C, or with nothing to edit */
        struct elm_operator_context context = rig_context(&r);
        struct elm_parent none = r.parent, no_tree = r.parent;
        none.editable_count = 0;
        no_tree.tree = NULL;
        struct elm_edit edits[ELM_EDITS_MAX];
        uint32_t count;
        struct elm_rng rng = elm_rng(0, 0);
        void *self = make(op, &r);
        assert_int_equal(op->mutate(self, &context, &(struct elm_parents){&none, 1}, &rng, edits,
                                    &count, NULL), ELM_NOT_FOUND);
        assert_int_equal(op->mutate(self, &context, &(struct elm_parents){&no_tree, 1}, &rng,
                                    edits, &count, NULL), ELM_NOT_FOUND);
        drop(op, self);
    }
    rig_close(&r);
}

/* Texts that no parser has seen: what may not change stays, and the same rng says the same. */
static void rewrites_any_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "\n", "{", "\"unterminated\n'x", "/* open", "1", "a b c", "\x01\xff\xfe(((",
        "x = 1.5e-3 + 0x1f;\ny += x << 2;\n# a line to keep 12\nreturn y >= 7 && x;\n",
        "keep 1;\n// EVOLVE-BLOCK-START\nint a = 3;\nint b = a * 4;\n// EVOLVE-BLOCK-END\nkeep 2;\n",
    };
    struct elm_arena arena = {0};
    struct elm_problem outside = {0};
    for (size_t k = 0; elm_operator_kinds[k] != NULL; k++) {
        const struct elm_operator_kind *op = elm_operator_kinds[k];
        uint32_t children = 0;
        for (size_t i = 0; op->rewrite != NULL && i < ELM_COUNT(texts) * 200; i++) {
            struct elm_str text = elm_str(texts[i / 200]);
            struct elm_parent both[2] = {{.text = text}, {.id = 1, .text = elm_str(texts[8])}};
            struct elm_operator_context context = {.problem = &outside, .arena = &arena};
            struct elm_parents parents = {both, 1 + i % 2};
            struct elm_buf out = {0}, again = {0};
            struct elm_rng rng = elm_rng(1, i), same = elm_rng(1, i);
            void *self = op->make != NULL ? op->make(&outside) : NULL;
            elm_arena_clear(&arena);
            enum elm_status s = op->rewrite(self, &context, &parents, &rng, &out, NULL);
            assert_int_equal(op->rewrite(self, &context, &parents, &same, &again, NULL), s);
            assert_true(elm_str_equal(elm_buf_str(&out), elm_buf_str(&again)));
            assert_true(s == ELM_NOT_FOUND || !elm_str_equal(elm_buf_str(&out), text));
            if (s == ELM_OK && i / 200 == 9)
                assert_true(strncmp(out.ptr, "keep 1;\n// EVOLVE-BLOCK-START\n", 30) == 0 &&
                            strstr(out.ptr, "// EVOLVE-BLOCK-END\nkeep 2;\n") != NULL);
            children += s == ELM_OK;
            drop(op, self);
            elm_buf_release(&out);
            elm_buf_release(&again);
        }
        assert_true(op->rewrite == NULL || children > 500);
    }
    elm_arena_release(&arena);
}

/* ---- operators that ask a model ---- */

static const struct elm_evaluation evaluated = {.fitness = 0.5, .measures = {1, 2}, .passed = 3,
                                                .cases = 8};
static const char wrong[] = "(1, 2): wanted 3, got 4\n(2, 2): wanted 4, got 5\n";

/* The seed of a problem as a parent: its tree, or its text alone. */
struct asked {
    struct elm_problem *problem;
    struct elm_parent both[2];
    struct elm_parents parents;
    struct elm_operator_context context;
    struct elm_arena arena;
    struct elm_evidence evidence;
    struct elm_pool *pool;
    struct elm_vm_memory *vm;
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
};

static void open_asked(struct asked *a, const char *name, bool as_text)
{
    struct elm_error err = {0};
    memset(a, 0, sizeof(*a));
    if (elm_problem_load(name, "problems", &a->problem, &err) != ELM_OK)
        fail_msg("%s", err.message);
    struct elm_parent *p = &a->both[0];
    *p = (struct elm_parent){.id = 1, .text = elm_str(a->problem->seed_text), .evaluation = &evaluated,
                             .wrong = ELM_STR(wrong), .broken = elm_str(a->problem->seed_text),
                             .broken_why = ELM_STR("line 3: 'x' is not declared")};
    if (a->problem->seed.count > 0 && !as_text) {
        p->tree = &a->problem->seed;
        p->text = (struct elm_str){0};
        p->editable = a->editable;
        p->editable_count = elm_tree_editable(p->tree, a->problem->names, a->editable);
    }
    a->both[1] = *p;
    a->both[1].id = 2;
    a->parents = (struct elm_parents){a->both, 2};
    a->pool = elm_pool_new();
    a->vm = elm_vm_memory_new();
    a->context = (struct elm_operator_context){.problem = a->problem, .evidence = &a->evidence,
                                               .pool = a->pool, .vm = a->vm, .arena = &a->arena};
}

static void close_asked(struct asked *a)
{
    elm_pool_free(a->pool);
    elm_vm_memory_free(a->vm);
    elm_arena_release(&a->arena);
    elm_problem_free(a->problem);
}

static enum elm_status ask(const struct elm_operator_kind *op, void *self, struct asked *a,
                           uint64_t stream, struct elm_request *r)
{
    struct elm_error err = {0};
    struct elm_rng rng = elm_rng(5, stream);
    elm_arena_clear(&a->arena);
    enum elm_status status = op->prompt(self, &a->context, &a->parents, &rng, r, &err);
    if (status != ELM_OK && status != ELM_NOT_FOUND)
        fail_msg("%s: %s: %s", a->problem->name, op->name, err.message);
    return status;
}

/* Reads an answer twice: no fault, one result, and a reason where there is no child. */
static bool answer(const struct elm_operator_kind *op, void *self, struct asked *a,
                   const struct elm_request *r, struct elm_str reply, struct elm_buf *text)
{
    struct elm_buf again = {0};
    struct elm_error err = {0};
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t count = 99, more = 99;
    elm_buf_clear(text);
    elm_arena_clear(&a->arena);
    enum elm_status status = op->parse(self, &a->context, &a->parents, r, reply, edits, &count, text,
                                       &err);
    if (status == ELM_OK)
        assert_true(count <= ELM_EDITS_MAX && (count > 0) != (text->len > 0));
    else if (status != ELM_PARSE || err.message[0] == '\0' || strlen(err.message) >= 48)
        fail_msg("%s: status %d: %s", op->name, status, err.message);
    assert_int_equal(op->parse(self, &a->context, &a->parents, r, reply, edits, &more, &again, NULL),
                     status);
    assert_true(status != ELM_OK || (more == count && elm_str_equal(elm_buf_str(text),
                                                                   elm_buf_str(&again))));
    elm_buf_release(&again);
    return status == ELM_OK;
}

static void check_request(const struct elm_operator_kind *op, const struct elm_request *r,
                          const struct asked *a)
{
    if (r->prompt.len == 0 || strstr(r->prompt.ptr, a->problem->summary) == NULL)
        fail_msg("%s doesn't say what %s is:\n%s", op->name, a->problem->name, r->prompt.ptr);
    assert_in_range(r->tokens_max, 1, 8192);
    assert_true(r->temperature >= 0 && r->temperature <= 2);
    assert_int_equal(strlen(r->prompt.ptr), r->prompt.len);
    assert_true(r->prompt.ptr[r->prompt.len - 1] != '\n' || r->raw);
    assert_true(op->needs_masks || r->grammar == NULL);
}

static void try_answers(const struct elm_operator_kind *op, void *self, struct asked *a,
                        const struct elm_request *r)
{
    static const char *const bad[] = {
        "", "\n", "I don't know.", "```", "```c\n```", "```\n\n```\n", "<think>", "</think>", "{", "}}}",
        "<<<<<<< SEARCH\n", "<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE\n", "=======\n>>>>>>> REPLACE",
        "@@ -1,1 +1,1 @@\n-\n+\n", "@@", "--- a\n+++ b\n", "/* EVOLVE-BLOCK-START */",
        "EVOLVE-BLOCK-END\nEVOLVE-BLOCK-START\n", "\xff\xfe\x01\x80", "NaN", "[system]\n{program}",
    };
    struct elm_buf text = {0}, mixed = {0};
    for (size_t i = 0; i < ELM_COUNT(bad); i++)
        answer(op, self, a, r, elm_str(bad[i]), &text);
    answer(op, self, a, r, (struct elm_str){"a\0b", 3}, &text);
    /* the question again, cut anywhere, with bytes changed */
    for (uint64_t i = 0; i < 60; i++) {
        struct elm_rng rng = elm_rng(i, 9);
        elm_buf_clear(&mixed);
        elm_buf_add(&mixed, r->prompt.ptr, 1 + elm_rng_below(&rng, (uint32_t)r->prompt.len));
        for (uint32_t n = elm_rng_below(&rng, 8); n > 0; n--)
            mixed.ptr[elm_rng_below(&rng, (uint32_t)mixed.len)] = "`<=>@{}\n"[elm_rng_below(&rng, 8)];
        answer(op, self, a, r, elm_buf_str(&mixed), &text);
    }
    elm_buf_release(&text);
    elm_buf_release(&mixed);
}

static void ask_of(const struct elm_operator_kind *op, const char *name, bool as_text)
{
    struct asked a;
    struct elm_request r = {0}, same = {0}, fresh = {0};
    open_asked(&a, name, as_text);
    void *self = op->make != NULL ? op->make(a.problem) : NULL;
    void *other = op->make != NULL ? op->make(a.problem) : NULL;
    bool applies = op->applies(a.problem, &a.evidence, NULL);
    assert_true(applies || op->needs_masks);
    enum elm_status status = applies ? ask(op, self, &a, 3, &r) : ELM_NOT_FOUND;
    if (status == ELM_NOT_FOUND && !as_text && !op->needs_masks)
        fail_msg("%s has nothing to ask of %s", op->name, name);
    if (status == ELM_OK) {
        check_request(op, &r, &a);
        try_answers(op, self, &a, &r);
        /* what was asked before doesn't matter */
        assert_int_equal(ask(op, self, &a, 4, &same), ELM_OK);
        elm_request_release(&same);
        assert_int_equal(ask(op, self, &a, 3, &same), ELM_OK);
        assert_int_equal(ask(op, other, &a, 3, &fresh), ELM_OK);
        assert_true(elm_str_equal(elm_buf_str(&r.prompt), elm_buf_str(&same.prompt)) &&
                    elm_str_equal(elm_buf_str(&r.prompt), elm_buf_str(&fresh.prompt)) &&
                    elm_str_equal(elm_buf_str(&r.system), elm_buf_str(&fresh.system)) &&
                    r.seed == same.seed && r.seed == fresh.seed);
    }
    elm_request_release(&r);
    elm_request_release(&same);
    elm_request_release(&fresh);
    drop(op, self);
    drop(op, other);
    close_asked(&a);
}

static void each_problem(void *ctx, const char *name, const char *summary, const char *in)
{
    (void)summary;
    (void)in;
    for (int as_text = 0; as_text < 2; as_text++)
        ask_of(elm_operator_kinds[*(size_t *)ctx], name, as_text);
}

static void asks_of_every_problem(void **state)
{
    (void)state;
    struct elm_error err = {0};
    uint32_t asking = 0;
    for (size_t k = 0; elm_operator_kinds[k] != NULL; k++) {
        if (elm_operator_kinds[k]->prompt == NULL)
            continue;
        assert_int_equal(elm_problem_list("problems", each_problem, &k, &err), ELM_OK);
        asking++;
    }
    assert_true(asking >= 4);
}

/* An answer that holds the program, and one that adds a line to it, are read by what is asked for
 * them; what may not change stays. */
static void reads_the_program_back(void **state)
{
    (void)state;
    static const char *const whole[] = {"rewrite", "cross", "repair"};
    static const char *const names[] = {"sort", "circles", "quadratic", "parity"};
    for (size_t i = 0; i < ELM_COUNT(names) * 2; i++) {
        struct asked a;
        struct elm_request r = {0};
        struct elm_buf reply = {0}, text = {0};
        open_asked(&a, names[i / 2], i % 2 == 1);
        const char *program = a.problem->seed_text;
        elm_buf_printf(&reply, "So:\n\n```c\n%s```\n", program);
        for (size_t k = 0; k < ELM_COUNT(whole); k++) {
            const struct elm_operator_kind *op = elm_operator_find(whole[k]);
            if (!answer(op, NULL, &a, &r, elm_buf_str(&reply), &text))
                fail_msg("%s refuses the seed of %s", op->name, names[i / 2]);
            assert_string_equal(text.ptr, program);
        }
        /* the last return gets a line before it; that of circles may not change */
        const char *last = program, *next;
        while ((next = strstr(last + 1, "    return ")) != NULL)
            last = next;
        int line = (int)strcspn(last, "\n");
        elm_buf_clear(&reply);
        elm_buf_printf(&reply, "<<<<<<< SEARCH\n%.*s\n=======\n    ;\n%.*s\n>>>>>>> REPLACE\n", line,
                       last, line, last);
        bool taken = answer(elm_operator_find("diff"), NULL, &a, &r, elm_buf_str(&reply), &text);
        assert_int_equal(taken, strcmp(names[i / 2], "circles") != 0);
        size_t at = (size_t)(last - program);
        if (taken) {
            assert_memory_equal(text.ptr, program, at);
            assert_memory_equal(text.ptr + at, "    ;\n", 6);
            assert_string_equal(text.ptr + at + 6, last);
        }
        elm_buf_release(&reply);
        elm_buf_release(&text);
        close_asked(&a);
    }
}

static void asks_only_where_there_is_something(void **state)
{
    (void)state;
    struct asked a;
    struct elm_request r = {0};
    open_asked(&a, "quadratic", false);
    const struct elm_operator_kind *cross = elm_operator_find("cross"),
                                   *repair = elm_operator_find("repair");
    a.both[0].broken = (struct elm_str){0};
    a.both[1].id = a.both[0].id;
    assert_int_equal(ask(repair, NULL, &a, 1, &r), ELM_NOT_FOUND);
    assert_int_equal(ask(cross, NULL, &a, 1, &r), ELM_NOT_FOUND);
    a.both[1].id++;
    a.parents.count = 1;
    assert_int_equal(ask(cross, NULL, &a, 1, &r), ELM_NOT_FOUND);
    assert_int_equal(r.prompt.len, 0);
    close_asked(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewrites_any_text),
        cmocka_unit_test(children_pass),
        cmocka_unit_test(works_without),
        cmocka_unit_test(leaves_the_rest_alone),
        cmocka_unit_test(says_why_it_cannot),
        cmocka_unit_test(asks_of_every_problem),
        cmocka_unit_test(reads_the_program_back),
        cmocka_unit_test(asks_only_where_there_is_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
