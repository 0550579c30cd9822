/* packed edits of a program: decoded, applied, checked, printed. */
#include "fuzz.h"
#include "elm/code.h"

static const char base[] =
    "#include <math.h>\n"
    "double g(double x, int *a)\n{\n    a[1] = a[0] % 3;\n    return x * 0.5 + sqrt(2.0);\n}\n"
    "/* the entry */\n"
    "int f(int n, int *a, double m[2][3])\n{\n"
    "    int s = 0;\n    double w[2] = {1.5, 2.0};\n"
    "    for (int i = 0; i < n; i++) {\n"
    "        if (a[i] > 3 && m[0][i] != w[1]) {\n            s += a[i]++;\n"
    "        } else {\n            s = (int)g(m[1][0], a);\n            break;\n        }\n    }\n"
    "    while (s > 100) {\n        s >>= 1;\n    }\n"
    "    return s < 0 ? -s : ~s;\n}\n";

/* What was unpacked packs to something that unpacks to the same. */
static void repack(const struct elm_tree *t, const struct elm_tree *child,
                   const struct elm_edit *edits, uint32_t count)
{
    struct elm_buf bytes = {0};
    struct elm_arena arena = {0};
    struct elm_edit again[ELM_EDITS_MAX];
    struct elm_tree same;
    uint32_t n;
    elm_edits_encode(edits, count, &bytes);
    ELM_ASSERT(elm_edits_decode(bytes.ptr, bytes.len, again, &n, &arena, NULL) == ELM_OK);
    ELM_ASSERT(n == count && elm_tree_edit(t, again, n, &same, NULL) == ELM_OK);
    ELM_ASSERT(elm_tree_text_hash(&same) == elm_tree_text_hash(child));
    elm_tree_release(&same);
    elm_arena_release(&arena);
    elm_buf_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elm_names *names = elm_names_new();
    struct elm_arena arena = {0};
    struct elm_edit edits[ELM_EDITS_MAX];
    struct elm_tree t, child, again;
    struct elm_buf text = {0};
    uint32_t count;
    ELM_ASSERT(elm_tree_parse(elm_str(base), names, &t, NULL) == ELM_OK);
    if (elm_edits_decode(data, size, edits, &count, &arena, NULL) == ELM_OK &&
        elm_tree_edit(&t, edits, count, &child, NULL) == ELM_OK) {
        if (elm_tree_check(&child, names, NULL) == ELM_OK) {
            repack(&t, &child, edits, count);
            elm_tree_hash(&child);
            elm_tree_print(&child, names, &text);
            if (text.len <= ELM_TEXT_BYTES_MAX) {
                ELM_ASSERT(elm_tree_parse(elm_buf_str(&text), names, &again, NULL) == ELM_OK);
                ELM_ASSERT(elm_tree_text_hash(&again) == elm_tree_text_hash(&child));
                elm_tree_release(&again);
            }
        }
        elm_tree_release(&child);
    }
    elm_tree_release(&t);
    elm_buf_release(&text);
    elm_arena_release(&arena);
    elm_names_free(names);
    return 0;
}
