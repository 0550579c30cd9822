/* answer: what models write, good and bad, and the child or the reason that comes of it. */
#include "elm/answer.h"
#include "elm/code.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define F "```"
#define START "// EVOLVE-BLOCK-START\n"
#define END "// EVOLVE-BLOCK-END\n"
#define SEARCH "<<<<<<< SEARCH\n"
#define WITH "=======\n"
#define REPLACE ">>>>>>> REPLACE\n"

/* a part that may change, between what may not */
#define BEFORE "#include <math.h>\n\nint half(int a)\n{\n    return a / 2;\n}\n\n" START
#define OLD "int f(int a, int b)\n{\n    int t = half(a);\n    return t + b;\n}\n"
#define AFTER END "\nint main_like(int a)\n{\n    return f(a, 1) - 7;\n}\n"
#define NEW "int f(int a, int b)\n{\n    return half(a) * b;\n}\n"
#define THIRD "int third(int a)\n{\n    return a / 3;\n}\n\n"
static const char marked[] = BEFORE OLD AFTER;
static const char child[] = BEFORE NEW AFTER;
/* all of it may change */
static const char plain[] = OLD;
/* a part within a function */
#define NEST_BEFORE "def f(a, b):\n    t = 0\n    # EVOLVE-BLOCK-START\n"
#define NEST_AFTER "    # EVOLVE-BLOCK-END\n    return t\n"
static const char nested[] = NEST_BEFORE "    t = a\n    if b:\n        t += 1\n" NEST_AFTER;
/* two parts */
static const char two[] = "int a;\n" START "int b = 1;\n" END "int c;\n" START "int d = 2;\n" END;
/* lines that come again */
static const char twins[] = "int f(int a)\n{\n    a++;\n    a *= 2;\n    a++;\n    return a;\n}\n";
static const char *const other_ends = "int f(int a)\r\n{\r\n    return a;\r\n}\r\n";

struct example {
    const char *program, *answer;
    const char *child;             /* NULL: refused, */
    const char *why;               /* for this reason */
};

static const struct example rewrites[] = {
    /* where the code is */
    {plain, F "c\n" NEW F "\n", NEW, NULL},
    {plain, "Here is a better program:\n\n" F "c\n" NEW F "\n\nIt needs no local.\n", NEW, NULL},
    {plain, F "\n" NEW F, NEW, NULL},
    {plain, F "C++ title=\"f.c\"\n" NEW F, NEW, NULL},
    {plain, "~~~c\n" NEW "~~~\n", NEW, NULL},
    {plain, F F "c\n" NEW F F "\n", NEW, NULL},
    {plain, "1. First:\n   " F "c\n   int f(int a, int b)\n   {\n       return half(a) * b;\n   }\n   "
            F "\n", NEW, NULL},
    {plain, F "c\n" NEW, NEW, NULL},                                   /* no closing fence */
    {plain, F "c\nint f(int a, int b)\n{\n    return ha", "int f(int a, int b)\n{\n    return ha\n",
     NULL},                                                           /* cut off: won't build */
    {plain, NEW, NEW, NULL},
    {plain, THIRD NEW, THIRD NEW, NULL},                     /* begins with a function of its own */
    {plain, "I call (once) a new one:\n\nstatic double *of(int a,\n                  int b) {\n"
            "    return 0;\n}\n" NEW, "static double *of(int a,\n                  int b) {\n"
            "    return 0;\n}\n" NEW, NULL},
    {plain, "Here it is.\nint\nf(int a, int b)\n{\n    return half(a) * b;\n}\n",
     "int\nf(int a, int b)\n{\n    return half(a) * b;\n}\n", NULL},
    {plain, "With a helper:\n\nstatic int *\nhelp (int a)\n{\n    return 0;\n}\n" NEW,
     "static int *\nhelp (int a)\n{\n    return 0;\n}\n" NEW, NULL},
    {plain, "# The answer\n\n#define HALF 2\n" NEW, "#define HALF 2\n" NEW, NULL},
    {plain, "I made it faster\n\n" NEW, NEW, NULL},
    {plain, "Sure! The function f is better so:\n\n" NEW "\nThis is faster.\n", NEW, NULL},
    {plain, "\xef\xbb\xbf" F "c\r\nint f(int a, int b)\r\n{\r\n    return half(a) * b;\r\n}\r\n" F
            "\r\n", NEW, NULL},
    {plain, "<think>\nTry\n" F "c\nint f(int a, int b) { return 1; }\n" F "\nno.\n</think>\n" F "c\n"
            NEW F "\n", NEW, NULL},
    {plain, "the template began the thought\n</think>\n\n" F "c\n" NEW F, NEW, NULL},
    {plain, "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>" F
            "c\n" NEW F "<|return|>", NEW, NULL},
    {plain, F "c\n" NEW F "<|im_end|>\n<|endoftext|>", NEW, NULL},
    {plain, "The old one:\n" F "c\n" OLD F "\nThe new one:\n" F "c\n" NEW F "\n", NEW, NULL},
    {plain, F "c\n" NEW F "\nBuild and try it:\n" F "sh\ncc -c f.c\n" F "\nwhich gives\n" F
            "\nf(3, 4) = 4\n" F "\n", NEW, NULL},
    {plain, F "markdown\nThe answer:\n" F "c\n" NEW F "\n" F "\n", NEW, NULL},
    {plain, F "csharp\nint f(int a, int b)\n{\n    return half(a) * b;\n}" F "\n\nSo it is.\n", NEW, NULL},
    {plain, F "c\n" NEW F "\nUse it so:\n" F "c\nint main(void)\n{\n    return f(1, (2));\n}\n" F,
     NEW, NULL},                                                      /* calls, but defines not */
    {plain, F "c\n" START NEW END F "\n", NEW, NULL},                   /* brings markers of its own */
    {plain, F "c\n\n\n" NEW "\n\n" F "\n", NEW, NULL},
    /* the whole program, the part with markers, the part alone */
    {marked, F "c\n" BEFORE NEW AFTER F "\n", child, NULL},
    {marked, F "c\n" START NEW END F "\n", child, NULL},
    {marked, F "c\n" NEW F "\n", child, NULL},
    {marked, F "c\n" NEW END F "\n", child, NULL},
    {marked, START NEW END, child, NULL},
    {marked, F "c\n#include <math.h>\n\n" NEW F "\n", child, NULL},
    {marked, F "c\n#include <math.h>\nint half(int a) {\n  return a / 2;\n}\n" NEW F "\n", child,
     NULL},
    {marked, F "c\n#include <math.h>\nint half(int a)\n{\n    return a / 2;\n}\n" NEW
             "int main_like(int a)\n{\n    return f(a, 1) - 7;\n}\n" F "\n", child, NULL},
    {marked, F "c\nint half(int a)\n{\n    return a >> 1;\n}\n" START NEW END "int x;\n" F "\n", child,
     NULL},                                          /* changes outside, but says what is inside */
    {marked, F "c\nint half(int a)\n{\n    return a / 2;\n}\n\n" NEW
             "int main_like(int a)\n{\n    return f(a, 1) - 8;\n}\n" F "\n", NULL,
     "changes code outside the evolve block"},
    {marked, F "c\n" START NEW, NULL, "its EVOLVE-BLOCK-END line is missing"},
    {marked, F "c\n" START NEW END START "int x;\n" END F "\n", NULL,
     "2 evolve blocks in the answer, not 1"},
    {marked, F "c\n" START "\n" END "int f(int a, int b)\n{\n    return 1;\n}\n" F "\n", NULL,
     "an empty program"},
    {two, F "c\nint a;\n" START "int b = 3;\n" END "int c;\n" START "int d = 4;\n" END F "\n",
     "int a;\n" START "int b = 3;\n" END "int c;\n" START "int d = 4;\n" END, NULL},
    {two, F "c\n" START "int b = 3;\n" END START "int d = 4;\n" END F "\n",
     "int a;\n" START "int b = 3;\n" END "int c;\n" START "int d = 4;\n" END, NULL},
    {two, F "c\nint b = 3;\n" F "\n", NULL, "0 evolve blocks in the answer, not 2"},
    {nested, F "python\nt = a * 2\nif b:\n    t -= 1\n" F "\n",
     NEST_BEFORE "    t = a * 2\n    if b:\n        t -= 1\n" NEST_AFTER, NULL},
    {nested, F "python\n" NEST_BEFORE "    t = b\n" NEST_AFTER F "\n",
     NEST_BEFORE "    t = b\n" NEST_AFTER, NULL},
    {nested, F "python\ndef f(a, b):\n    t = 0\n    t = b\n    return t\n" F "\n",
     NEST_BEFORE "    t = b\n" NEST_AFTER, NULL},
    {"x\n" START, F "\ny\n" F, "x\n" START "y\n", NULL},
    {"x\n// EVOLVE-BLOCK-START", F "\ny\n" F, "x\n// EVOLVE-BLOCK-START\ny\n", NULL},
    {START END "x\n", F "\ny\n" F, START "y\n" END "x\n", NULL},
    {START "\n\na\n\n" END, F "\nb\n" F, START "\n\nb\n\n" END, NULL},
    {"a", "b", "b", NULL},
    {"", "b", "b\n", NULL},
    {other_ends, F "c\nint f(int a)\n{\n    return -a;\n}\n" F,
     "int f(int a)\r\n{\r\n    return -a;\r\n}\r\n", NULL},
    /* nothing that could be it */
    {plain, "", NULL, "the answer is empty"},
    {plain, " \n\t\r\n<|im_end|>", NULL, "the answer is empty"},
    {plain, "<think>\nFirst I look at f(", NULL, "the answer ends inside its thoughts"},
    {plain, "I'm sorry, I can't help with that.", NULL, "no program in the answer"},
    {plain, "The function f(a, b) adds half of a to b.", NULL, "no program in the answer"},
    {plain, F "c\nint g(int a)\n{\n    return a;\n}\n" F, NULL, "no f() in its code"},
    {plain, F "c\nint main(void)\n{\n    return f(1, 2);\n}\n" F, NULL, "no f() in its code"},
    {plain, F "c\nint f(int a, int b);\nint half_f(int a) {\n}\n" F, NULL, "no f() in its code"},
    {plain, F "c\n" F "\n", NULL, "no program in the answer"},
    {plain, F "c\n" SEARCH "    return t + b;\n" WITH "    return f(t);{\n" REPLACE F, NULL,
     "hunks in place of a program"},
};

#define HUNK(from, to) SEARCH from WITH to REPLACE
#define RETURN "    return t + b;\n"
#define PRODUCT "    return t * b;\n"
static const char product[] = "int f(int a, int b)\n{\n    int t = half(a);\n" PRODUCT "}\n";
static const char product_marked[] =
    BEFORE "int f(int a, int b)\n{\n    int t = half(a);\n" PRODUCT "}\n" AFTER;

static const struct example diffs[] = {
    {plain, HUNK(RETURN, PRODUCT), product, NULL},
    {plain, "I multiply instead.\n\n" HUNK(RETURN, PRODUCT) "\nThat is all.\n", product, NULL},
    {plain, F "c\n" HUNK(RETURN, PRODUCT) F "\n", product, NULL},
    {plain, F "diff\n" HUNK(RETURN, PRODUCT) F "\n", product, NULL},
    {plain, "f.c\n" F "\n" HUNK(RETURN, PRODUCT) F "\n", product, NULL},
    {plain, SEARCH F "c\n" RETURN F "\n" WITH F "c\n" PRODUCT F "\n" REPLACE, product, NULL},
    {plain, "<<<<<<< SEARCH\r\n    return t + b;\r\n=======\r\n    return t * b;\r\n>>>>>>> REPLACE\r\n",
     product, NULL},
    {plain, "<think>" HUNK("    int t = half(a);\n", "") "</think>" HUNK(RETURN, PRODUCT), product,
     NULL},
    {plain, "<<<<<<<< search\n" RETURN "========\n" PRODUCT ">>>>>>>> replace\n", product, NULL},
    {plain, F "\n" SEARCH RETURN WITH PRODUCT ">>>>>>> REPLACE" F "\n", product, NULL},
    {plain, "  " SEARCH RETURN "  " WITH PRODUCT "  " REPLACE, product, NULL},
    {plain, HUNK("return t + b;\n", "return t * b;\n"), product, NULL},
    {plain, HUNK("\treturn t+b;\n", "\treturn t * b;\n"), product, NULL},
    {plain, HUNK(RETURN "\n", PRODUCT "\n"), product, NULL},
    {plain, HUNK("\n\n    int t = half(a);\n\n" RETURN, "\n\n    int t = half(a);\n\n" PRODUCT),
     product, NULL},
    {plain, HUNK("int f(int a, int b) {\n    int t = half(a);\n" RETURN,
                 "int f(int a, int b) {\n    int t = half(a);\n" PRODUCT), product, NULL},
    {plain, HUNK("t + b\n", "t * b\n"), product, NULL},                 /* a part of a line */
    {plain, HUNK("half(a)\n", "half(a) * 2\n") HUNK(RETURN, PRODUCT),
     "int f(int a, int b)\n{\n    int t = half(a) * 2;\n" PRODUCT "}\n", NULL},
    {plain, HUNK("    int t = half(a);\n", "") HUNK(RETURN, "    return b;\n"),
     "int f(int a, int b)\n{\n    return b;\n}\n", NULL},
    {plain, HUNK("int t\n", "int u\n") HUNK("return t\n", "return u\n"),
     "int f(int a, int b)\n{\n    int u = half(a);\n    return u + b;\n}\n", NULL},
    {plain, HUNK("    int t = half(a);\n", "    int t = half(a);\n    t++;\n"),
     "int f(int a, int b)\n{\n    int t = half(a);\n    t++;\n" RETURN "}\n", NULL},
    /* the second hunk speaks of what the first one wrote */
    {plain, HUNK(RETURN, "    t = t * 2;\n" RETURN) HUNK("    t = t * 2;\n", "    t = t * 3;\n"),
     "int f(int a, int b)\n{\n    int t = half(a);\n    t = t * 3;\n" RETURN "}\n", NULL},
    {plain, HUNK(RETURN, PRODUCT) HUNK(RETURN, PRODUCT), product, NULL},    /* said twice */
    {plain, HUNK("{\n", "{\n") HUNK(RETURN, PRODUCT), product, NULL},       /* changes nothing */
    {plain, HUNK(RETURN, RETURN), OLD, NULL},
    {twins, HUNK("    a *= 2;\n    a++;\n", "    a *= 2;\n"),
     "int f(int a)\n{\n    a++;\n    a *= 2;\n    return a;\n}\n", NULL},
    {twins, HUNK("    a++;\n", "    a--;\n"), NULL, "hunk 1: its SEARCH text occurs 2 times"},
    {twins, HUNK("a++\n", "a--\n"), NULL, "hunk 1: its SEARCH text occurs 2 times"},
    {plain, HUNK(RETURN, PRODUCT) HUNK("    return t - b;\n", "\n"), NULL,
     "hunk 2: its SEARCH text is not there"},
    {plain, HUNK("", PRODUCT), NULL, "hunk 1: its SEARCH text is empty"},
    {"\n", HUNK("", "x\n"), "x\n\n", NULL},
    {START END, HUNK("", "x\n"), START "x\n" END, NULL},
    {"", HUNK("\n", "x\n"), "x\n", NULL},
    {other_ends, HUNK("    return a;\n", "    a++;\n    return a;\n"),
     "int f(int a)\r\n{\r\n    a++;\r\n    return a;\r\n}\r\n", NULL},
    {"a\nb", HUNK("b\n", "c\nd\n"), "a\nc\nd\n", NULL},
    {"a\nb", HUNK("a\n", "c\n"), "c\nb", NULL},
    {nested, HUNK("t = a\nif b:\n    t += 1\n", "t = a\nif b:\n    t += 2\nelse:\n    t = 3\n"),
     NEST_BEFORE "    t = a\n    if b:\n        t += 2\n    else:\n        t = 3\n" NEST_AFTER, NULL},
    /* cut off, or not as they should be */
    {plain, SEARCH RETURN WITH "    return t", NULL, "hunk 1 is cut off"},
    {plain, HUNK(RETURN, PRODUCT) SEARCH "{\n", NULL, "hunk 2 is cut off"},
    {plain, SEARCH RETURN PRODUCT REPLACE, NULL, "hunk 1 has no ======= line"},
    {plain, SEARCH RETURN WITH PRODUCT HUNK("{\n", "{\n\n"), NULL, "hunk 1 has no REPLACE line"},
    {plain, F "\n" SEARCH RETURN WITH PRODUCT F "\nThat was it.\n", product, NULL},
    {plain, F "c\n" NEW F, NULL, "no hunk in the answer"},
    {plain, "Nothing can be better.", NULL, "no hunk in the answer"},
    {plain, "", NULL, "the answer is empty"},
    /* what may not change */
    {marked, HUNK(RETURN, PRODUCT), product_marked, NULL},
    {marked, HUNK(RETURN "}\n" END, PRODUCT "}\n" END), product_marked, NULL},
    {marked, HUNK(START "int f(int a, int b)\n{\n    int t = half(a);\n" RETURN,
                  START "int f(int a, int b)\n{\n    int t = half(a);\n" PRODUCT), product_marked,
     NULL},
    {marked, HUNK("    return a / 2;\n", "    return a >> 1;\n"), NULL,
     "hunk 1: outside the evolve block"},
    {marked, HUNK(RETURN "}\n" END, PRODUCT "}\n"), NULL, "hunk 1: outside the evolve block"},
    {marked, HUNK("#include <math.h>\n", "#include <math.h>\n#include <stdio.h>\n"), NULL,
     "hunk 1: outside the evolve block"},
    {marked, HUNK(START, START "int g;\n"), BEFORE "int g;\n" OLD AFTER, NULL},
    {marked, HUNK(END, "int g;\n" END), BEFORE OLD "int g;\n" AFTER, NULL},
    {marked, HUNK(RETURN, END PRODUCT START), product_marked, NULL},
    /* outside it comes again, inside only once */
    {"a\n" START "a\n" END, HUNK("a\n", "b\n"), "a\n" START "b\n" END, NULL},
    /* unified */
    {plain, F "diff\n--- a/f.c\n+++ b/f.c\n@@ -3,3 +3,3 @@\n     int t = half(a);\n-" RETURN "+" PRODUCT
            " }\n" F "\n", product, NULL},
    {plain, "@@ -90,7 +90,7 @@ int f(int a, int b)\n-" RETURN "+" PRODUCT, product, NULL},
    {plain, "Here:\n\ndiff --git a/f.c b/f.c\nindex 1..2 100644\n--- a/f.c\n+++ b/f.c\n@@ ... @@\n {\n"
            "     int t = half(a);\n-" RETURN "+" PRODUCT "\nSo it multiplies.\n", product, NULL},
    {plain, "<DFF> @@ -1,5 +1,5 @@\n int f(int a, int b)\n {\n     int t = half(a);\n-" RETURN "+" PRODUCT
            " }\n<|endoftext|>", product, NULL},
    {plain, "<NME> f.c\n<BEF> " OLD "<MSG> Fixed bugs\n<DFF>\n@@ -4,1 +4,1 @@\n-" RETURN "+" PRODUCT,
     product, NULL},
    {plain, F "diff\n-" RETURN "+" PRODUCT F "\n", product, NULL},       /* no @@ at all */
    {plain, F "diff\n- return t + b;\n+ return t * b;\n" F "\n",
     "int f(int a, int b)\n{\n    int t = half(a);\n    return t * b;\n}\n", NULL},
    {plain, F "diff\n--- f.c\n+++ f.c\n-" RETURN "+" PRODUCT F "\n", product, NULL},
    {plain, F "diff\n@@ -2,3 +2,3 @@\n{\n    int t = half(a);\n-" RETURN "+" PRODUCT "}\n" F "\n",
     product, NULL},                                                   /* context without a sign */
    {plain, "*** Begin Patch\n*** Update File: f.c\n@@\n     int t = half(a);\n-" RETURN "+" PRODUCT
            "*** End Patch\n", product, NULL},
    {plain, F "diff\n@@ -3,1 +3,0 @@\n-    int t = half(a);\n@@ -4,1 +3,1 @@\n-" RETURN
            "+    return b;\n\\ No newline at end of file\n" F "\n",
     "int f(int a, int b)\n{\n    return b;\n}\n", NULL},
    {twins, "@@ -5,1 +5,1 @@\n-    a++;\n+    a--;\n",
     "int f(int a)\n{\n    a++;\n    a *= 2;\n    a--;\n    return a;\n}\n", NULL},
    {twins, "@@ -9,1 +9,1 @@\n-    a++;\n+    a--;\n", NULL,
     "hunk 1: its SEARCH text occurs 2 times"},
    {marked, "@@ -9,7 +9,7 @@\n " START " int f(int a, int b)\n {\n     int t = half(a);\n-" RETURN "+"
             PRODUCT " }\n " END " \n", product_marked, NULL},
    {marked, "@@ -5 +5 @@\n-    return a / 2;\n+    return a >> 1;\n", NULL,
     "hunk 1: outside the evolve block"},
    {plain, "@@ -1,2 +1,2 @@\n int f(int a, int b)\n {\n", NULL, "no hunk in the answer"},
};

typedef enum elm_status (*reader)(struct elm_str program, struct elm_str answer,
                                  struct elm_buf *out, struct elm_error *err);

static enum elm_status rewrite(struct elm_str program, struct elm_str answer, struct elm_buf *out,
                               struct elm_error *err)
{
    return elm_answer_rewrite(program, "f", answer, out, err);
}

static void check(const struct example *e, size_t i, const char *what, reader read)
{
    struct elm_buf out = {0};
    struct elm_error err = {0};
    elm_buf_printf(&out, "kept:");
    enum elm_status status = read(elm_str(e->program), elm_str(e->answer), &out, &err);
    if (strncmp(out.ptr, "kept:", 5) != 0)
        fail_msg("%s %zu writes over what was there", what, i);
    if (e->child != NULL && status != ELM_OK)
        fail_msg("%s %zu is refused (%s):\n%s", what, i, err.message, e->answer);
    if (e->child != NULL && strcmp(out.ptr + 5, e->child) != 0)
        fail_msg("%s %zu gives\n%s\nnot\n%s", what, i, out.ptr + 5, e->child);
    if (e->child == NULL && status != ELM_PARSE)
        fail_msg("%s %zu is taken:\n%s\nit gives\n%s", what, i, e->answer, out.ptr);
    if (e->child == NULL && strcmp(err.message, e->why) != 0)
        fail_msg("%s %zu: '%s', not '%s'", what, i, err.message, e->why);
    if (e->child == NULL)
        assert_true(out.len == 5 && strlen(err.message) < 48 && err.status == ELM_PARSE);
    elm_buf_release(&out);
}

static void reads_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELM_COUNT(rewrites); i++)
        check(&rewrites[i], i, "rewrite", rewrite);
}

static void reads_hunks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELM_COUNT(diffs); i++)
        check(&diffs[i], i, "diff", elm_answer_diff);
}

/* What was right stays right when white space is added where it doesn't count. */
static void does_not_mind_the_layout(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELM_COUNT(diffs); i++) {
        struct elm_buf wide = {0}, a = {0}, b = {0};
        if (diffs[i].child == NULL || strstr(diffs[i].answer, "<<<<") == NULL)
            continue;
        for (const char *c = diffs[i].answer; *c != '\0'; c++)
            elm_buf_printf(&wide, *c == '\n' ? " \t\n" : "%c", *c);
        assert_int_equal(elm_answer_diff(elm_str(diffs[i].program), elm_str(wide.ptr), &a, NULL),
                         ELM_OK);
        for (size_t k = 0; k < a.len; k++) {
            if (strchr(" \t\r\n", a.ptr[k]) == NULL)
                elm_buf_byte(&b, (uint8_t)a.ptr[k]);
        }
        elm_buf_clear(&a);
        for (const char *c = diffs[i].child; *c != '\0'; c++) {
            if (strchr(" \t\r\n", *c) == NULL)
                elm_buf_byte(&a, (uint8_t)*c);
        }
        if (!elm_str_equal(elm_buf_str(&a), elm_buf_str(&b)))
            fail_msg("diff %zu gives\n%s\nnot\n%s", i, b.ptr, a.ptr);
        elm_buf_release(&wide);
        elm_buf_release(&a);
        elm_buf_release(&b);
    }
}

static void finds_what_may_change(void **state)
{
    (void)state;
    struct elm_answer_span s[ELM_ANSWER_SPANS_MAX];
    bool yes;
    assert_int_equal(elm_answer_spans(elm_str(plain), s, &yes), 1);
    assert_true(!yes && s[0].at == 0 && s[0].len == strlen(plain));
    assert_int_equal(elm_answer_spans((struct elm_str){0}, s, &yes), 1);
    assert_true(!yes && s[0].len == 0);
    assert_int_equal(elm_answer_spans(elm_str(marked), s, &yes), 1);
    assert_true(yes && s[0].at == strlen(BEFORE) && s[0].len == strlen(OLD));
    assert_int_equal(elm_answer_spans(elm_str(two), s, &yes), 2);
    assert_true(yes && s[1].len == strlen("int d = 2;\n"));
    assert_int_equal(elm_answer_spans(elm_str(END "x\n"), s, &yes), 1);
    assert_true(!yes && s[0].at == 0);
    /* more parts than are read: the rest stays as it is */
    struct elm_buf many = {0};
    for (int i = 0; i < 40; i++)
        elm_buf_printf(&many, START "%d\n" END, i);
    assert_int_equal(elm_answer_spans(elm_buf_str(&many), s, &yes), ELM_ANSWER_SPANS_MAX);
    elm_buf_release(&many);
}

static void is_bounded(void **state)
{
    (void)state;
    struct elm_buf answer = {0}, out = {0};
    struct elm_error err = {0};
    for (int i = 0; i < 65; i++)
        elm_buf_printf(&answer, HUNK("a%d\n", "b\n"), i);
    assert_int_equal(elm_answer_diff(elm_str(plain), elm_buf_str(&answer), &out, &err), ELM_PARSE);
    assert_string_equal(err.message, "more than 64 hunks");
    elm_buf_clear(&answer);
    while (answer.len <= ELM_ANSWER_BYTES_MAX)
        elm_buf_printf(&answer, "@@\n");
    assert_int_equal(elm_answer_diff(elm_str(plain), elm_buf_str(&answer), &out, &err), ELM_PARSE);
    assert_string_equal(err.message, "an answer of more than 1 MiB");
    answer.len = ELM_ANSWER_BYTES_MAX;
    assert_int_equal(elm_answer_diff(elm_str(plain), elm_buf_str(&answer), &out, &err), ELM_PARSE);
    assert_int_equal(elm_answer_rewrite(elm_str(plain), "f", elm_buf_str(&answer), &out, &err),
                     ELM_PARSE);
    elm_buf_clear(&answer);
    while (answer.len < ELM_ANSWER_BYTES_MAX - 8)
        elm_buf_printf(&answer, F "\nx\n");
    assert_int_equal(elm_answer_rewrite(elm_str(plain), "f", elm_buf_str(&answer), &out, &err),
                     ELM_PARSE);
    /* what a model says when it has lost its way */
    static const char *const forever[] = {"f(", F, F "c\n", "<<<<<<< SEARCH\n", "=======\n", "}\n{",
                                          "-a\n+b\n", "<think>", "t = half(a);\n"};
    for (size_t i = 0; i < ELM_COUNT(forever); i++) {
        elm_buf_clear(&answer);
        elm_buf_printf(&answer, "@@ -1 +1 @@\n");
        while (answer.len < ELM_ANSWER_BYTES_MAX / 2)
            elm_buf_printf(&answer, "%s", forever[i]);
        elm_answer_diff(elm_str(plain), elm_buf_str(&answer), &out, &err);
        elm_answer_rewrite(elm_str(plain), "f", elm_buf_str(&answer), &out, &err);
        elm_buf_clear(&out);
    }
    struct elm_str zero = {F "\nf(\0{\n" F, 13};
    assert_int_equal(elm_answer_rewrite(elm_str(plain), "f", zero, &out, &err), ELM_PARSE);
    assert_string_equal(err.message, "a zero byte in the answer");
    assert_int_equal(out.len, 0);
    elm_buf_release(&answer);
    elm_buf_release(&out);
}

/* A program as long as any may be. */
static void reads_long_programs(void **state)
{
    (void)state;
    struct elm_buf program = {0}, answer = {0}, out = {0};
    struct elm_error err = {0};
    for (int i = 0; program.len < ELM_TEXT_BYTES_MAX - 64; i++)
        elm_buf_printf(&program, "    t = t * %d + b;\n", i);
    elm_buf_printf(&answer, HUNK("t = t *   7000 + b;\n", "t = 1;\n"));
    assert_int_equal(elm_answer_diff(elm_buf_str(&program), elm_buf_str(&answer), &out, &err), ELM_OK);
    assert_non_null(strstr(out.ptr, "    t = t * 6999 + b;\n    t = 1;\n    t = t * 7001 + b;\n"));
    elm_buf_clear(&out);
    assert_int_equal(elm_answer_rewrite(elm_buf_str(&program), NULL, elm_buf_str(&program), &out,
                                        &err), ELM_OK);
    assert_true(elm_str_equal(elm_buf_str(&out), elm_buf_str(&program)));
    elm_buf_release(&program);
    elm_buf_release(&answer);
    elm_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_may_change), cmocka_unit_test(reads_programs),
        cmocka_unit_test(reads_hunks),           cmocka_unit_test(does_not_mind_the_layout),
        cmocka_unit_test(is_bounded),            cmocka_unit_test(reads_long_programs),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
