/*
 * headers: the few headers a candidate may include, as text that replaces the #include line. So
 * no compiler opens a file, nothing of the host can be included, and reading them costs a
 * twentieth of what the system's headers cost.
 */
#include "sandbox/cage_proc.h"

static const char math_h[] =
    "#ifndef _MATH_H\n#define _MATH_H\n"
    "#define M_PI 3.14159265358979323846\n#define M_PI_2 1.57079632679489661923\n"
    "#define M_E 2.7182818284590452354\n#define M_SQRT2 1.41421356237309504880\n"
    "#define M_LN2 0.69314718055994530942\n"
    "#define HUGE_VAL (1e300*1e300)\n#define INFINITY (1e300*1e300)\n"
    "#define NAN (INFINITY*0.0)\n#define isnan(x) ((x)!=(x))\n"
    "#define isinf(x) ((x)-(x)!=0&&(x)==(x))\n#define isfinite(x) ((x)-(x)==0)\n"
    "#define signbit(x) (copysign(1.0,(x))<0)\n"
    "double acos(double),acosh(double),asin(double),asinh(double),atan(double),atanh(double),"
    "cbrt(double),ceil(double),cos(double),cosh(double),erf(double),erfc(double),exp(double),"
    "exp2(double),expm1(double),fabs(double),floor(double),lgamma(double),log(double),"
    "log10(double),log1p(double),log2(double),nearbyint(double),rint(double),round(double),"
    "sin(double),sinh(double),sqrt(double),tan(double),tanh(double),tgamma(double),trunc(double);\n"
    "double atan2(double,double),copysign(double,double),fdim(double,double),fmax(double,double),"
    "fmin(double,double),fmod(double,double),hypot(double,double),pow(double,double),"
    "remainder(double,double),fma(double,double,double),frexp(double,int*),ldexp(double,int),"
    "modf(double,double*);\n"
    "float ceilf(float),cosf(float),expf(float),fabsf(float),floorf(float),logf(float),"
    "roundf(float),sinf(float),sqrtf(float),tanf(float),truncf(float),fmaxf(float,float),"
    "fminf(float,float),fmodf(float,float),powf(float,float);\n"
    "long lrint(double),lround(double);long long llround(double);\n"
    "#endif\n";
static const char stddef_text[] =
    "#ifndef _STDDEF_H\n#define _STDDEF_H\ntypedef unsigned long size_t;\n"
    "typedef long ptrdiff_t;\n#define NULL ((void*)0)\n#endif\n";
static const char stdlib_h[] =
    "#ifndef _STDLIB_H\n#define _STDLIB_H\n#define RAND_MAX 2147483647\n"
    "#define EXIT_SUCCESS 0\n#define EXIT_FAILURE 1\n"
    "void *malloc(size_t),*calloc(size_t,size_t),*realloc(void*,size_t),free(void*);\n"
    "void exit(int),abort(void),srand(unsigned);int rand(void),abs(int),atoi(const char*);\n"
    "long labs(long),atol(const char*),strtol(const char*,char**,int);long long llabs(long long);\n"
    "unsigned long strtoul(const char*,char**,int);\n"
    "double atof(const char*),strtod(const char*,char**);\n"
    "void qsort(void*,size_t,size_t,int(*)(const void*,const void*));\n"
    "void *bsearch(const void*,const void*,size_t,size_t,int(*)(const void*,const void*));\n"
    "#endif\n";
static const char string_h[] =
    "#ifndef _STRING_H\n#define _STRING_H\n"
    "void *memchr(const void*,int,size_t),*memcpy(void*,const void*,size_t),"
    "*memmove(void*,const void*,size_t),*memset(void*,int,size_t);\n"
    "int memcmp(const void*,const void*,size_t),strcmp(const char*,const char*),"
    "strncmp(const char*,const char*,size_t);\n"
    "size_t strlen(const char*),strcspn(const char*,const char*),strspn(const char*,const char*);\n"
    "char *strcat(char*,const char*),*strncat(char*,const char*,size_t),"
    "*strcpy(char*,const char*),*strncpy(char*,const char*,size_t),*strchr(const char*,int),"
    "*strrchr(const char*,int),*strstr(const char*,const char*),"
    "*strpbrk(const char*,const char*);\n"
    "#endif\n";
static const char stdint_h[] =
    "#ifndef _STDINT_H\n#define _STDINT_H\n"
    "typedef signed char int8_t;typedef short int16_t;typedef int int32_t;typedef long int64_t;\n"
    "typedef unsigned char uint8_t;typedef unsigned short uint16_t;typedef unsigned uint32_t;"
    "typedef unsigned long uint64_t;\n"
    "typedef long intptr_t;typedef unsigned long uintptr_t;typedef long intmax_t;"
    "typedef unsigned long uintmax_t;\n"
    "#define INT8_MAX 127\n#define INT8_MIN (-128)\n#define UINT8_MAX 255\n"
    "#define INT16_MAX 32767\n#define INT16_MIN (-32768)\n#define UINT16_MAX 65535\n"
    "#define INT32_MAX 2147483647\n#define INT32_MIN (-2147483647-1)\n"
    "#define UINT32_MAX 4294967295u\n"
    "#define INT64_MAX 9223372036854775807L\n#define INT64_MIN (-9223372036854775807L-1)\n"
    "#define UINT64_MAX 18446744073709551615ul\n#define SIZE_MAX 18446744073709551615ul\n"
    "#define INT64_C(x) x##L\n#define UINT64_C(x) x##UL\n#define INT32_C(x) x\n"
    "#define UINT32_C(x) x##U\n"
    "#endif\n";
static const char stdio_h[] =
    "#ifndef _STDIO_H\n#define _STDIO_H\n"
    "int printf(const char*,...),puts(const char*),putchar(int),"
    "snprintf(char*,size_t,const char*,...);\n"
    "#endif\n";
static const char stdbool_h[] =
    "#ifndef _STDBOOL_H\n#define _STDBOOL_H\n#define bool _Bool\n#define true 1\n"
    "#define false 0\n#endif\n";
static const char float_h[] =
    "#ifndef _FLOAT_H\n#define _FLOAT_H\n#define DBL_EPSILON 2.2204460492503131e-16\n"
    "#define DBL_MAX 1.7976931348623157e308\n#define DBL_MIN 2.2250738585072014e-308\n"
    "#define DBL_DIG 15\n#define DBL_MANT_DIG 53\n#define FLT_EPSILON 1.1920929e-7f\n"
    "#define FLT_MAX 3.4028235e38f\n#define FLT_MIN 1.1754944e-38f\n#endif\n";
static const char limits_h[] =
    "#ifndef _LIMITS_H\n#define _LIMITS_H\n#define CHAR_BIT 8\n#define SCHAR_MAX 127\n"
    "#define SCHAR_MIN (-128)\n#define UCHAR_MAX 255\n#define CHAR_MAX 127\n"
    "#define CHAR_MIN (-128)\n#define SHRT_MAX 32767\n#define SHRT_MIN (-32768)\n"
    "#define USHRT_MAX 65535\n#define INT_MAX 2147483647\n#define INT_MIN (-2147483647-1)\n"
    "#define UINT_MAX 4294967295u\n#define LONG_MAX 9223372036854775807L\n"
    "#define LONG_MIN (-9223372036854775807L-1)\n#define ULONG_MAX 18446744073709551615ul\n"
    "#define LLONG_MAX 9223372036854775807LL\n#define LLONG_MIN (-9223372036854775807LL-1)\n"
    "#define ULLONG_MAX 18446744073709551615ull\n#endif\n";

static const struct {
    const char *name, *text;
    bool sizes;                /* needs size_t and NULL */
} headers[] = {
    {"math.h", math_h, false},     {"stdlib.h", stdlib_h, true},   {"string.h", string_h, true},
    {"stdint.h", stdint_h, false}, {"stdio.h", stdio_h, true},     {"stdbool.h", stdbool_h, false},
    {"float.h", float_h, false},   {"limits.h", limits_h, false},  {"stddef.h", "", true},
};

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* The header that a line includes, UINT32_MAX if it is no such line. */
static uint32_t included(const char *at, const char *end)
{
    at = skip_space(at, end);
    if (at == end || *at++ != '#')
        return UINT32_MAX;
    at = skip_space(at, end);
    if (end - at < 8 || memcmp(at, "include", 7) != 0)
        return UINT32_MAX;
    at = skip_space(at + 7, end);
    if (at == end || (*at != '<' && *at != '"'))
        return UINT32_MAX;
    const char *name = at + 1, *close = memchr(name, *at == '<' ? '>' : '"', (size_t)(end - name));
    for (uint32_t i = 0; close != NULL && i < ELM_COUNT(headers); i++) {
        if (elm_str_equal((struct elm_str){name, (size_t)(close - name)},
                          elm_str(headers[i].name)))
            return i;
    }
    return UINT32_MAX;
}

void headers_expand(struct elm_str text, struct elm_buf *out)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    for (uint32_t line = 1; at < end; line++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        next = next == NULL ? end : next + 1;
        uint32_t header = included(at, next);
        if (header == UINT32_MAX) {
            elm_buf_add(out, at, (size_t)(next - at));
        } else {
            if (headers[header].sizes)
                elm_buf_add_str(out, elm_str(stddef_text));
            elm_buf_add_str(out, elm_str(headers[header].text));
            elm_buf_printf(out, "#line %u\n", line + 1);
        }
        at = next;
    }
}
