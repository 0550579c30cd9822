/* want: wanted values through the inverse of one operation. */
#include "elm/tape.h"

#include <math.h>

#define CLOSE 1e-9               /* relative; rounding on the way back stays far below */

static const struct elm_want none = {.kind = ELM_WANT_NONE};
static const struct elm_want never = {.kind = ELM_WANT_NEVER};

static struct elm_want bits(uint32_t value, uint32_t mask)
{
    return mask == 0 ? none : (struct elm_want){.kind = ELM_WANT_BITS, .value = value & mask,
                                                .mask = mask};
}

static struct elm_want exactly(int64_t v)
{
    return v < INT32_MIN || v > INT32_MAX ? never : bits((uint32_t)v, UINT32_MAX);
}

static struct elm_want range(int64_t lo, int64_t hi)
{
    lo = lo < INT32_MIN ? INT32_MIN : lo;
    hi = hi > INT32_MAX ? INT32_MAX : hi;
    if (lo > hi)
        return never;
    if (lo == hi)
        return exactly(lo);
    if (lo == INT32_MIN && hi == INT32_MAX)
        return none;
    return (struct elm_want){.kind = ELM_WANT_RANGE, .lo = lo, .hi = hi};
}

static struct elm_want differ(int64_t v)
{
    return (struct elm_want){.kind = ELM_WANT_DIFFER, .lo = (int32_t)v};
}

static struct elm_want residue(int64_t v, int64_t modulus)
{
    return modulus == 1 ? none : (struct elm_want){.kind = ELM_WANT_RESIDUE, .hi = modulus,
                                                   .lo = (v % modulus + modulus) % modulus};
}

static struct elm_want real(double d)
{
    return isfinite(d) ? (struct elm_want){.kind = ELM_WANT_REAL, .d = {d, d}} : never;
}

static struct elm_want real_range(double lo, double hi)
{
    if (isnan(lo) || isnan(hi) || lo > hi)
        return never;
    return (struct elm_want){.kind = ELM_WANT_REAL_RANGE, .d = {lo, hi}};
}

static struct elm_want real_differ(double d)
{
    return (struct elm_want){.kind = ELM_WANT_REAL_DIFFER, .d = {d, d}};
}

static bool close_to(double a, double b)
{
    return fabs(a - b) <= CLOSE * (fabs(b) > 1 ? fabs(b) : 1);
}

bool elm_want_met(const struct elm_want *w, union elm_value v)
{
    union elm_value got, other = {.i = w->other};
    switch (w->kind) {
    case ELM_WANT_BITS: return (((uint32_t)v.i ^ w->value) & w->mask) == 0;
    case ELM_WANT_RANGE: return w->lo <= v.i && v.i <= w->hi;
    case ELM_WANT_DIFFER: return v.i != w->lo;
    case ELM_WANT_THROUGH:
        return elm_value_apply(w->op, false, w->side == 0 ? v : other, w->side == 0 ? other : v,
                               &got) &&
               (uint32_t)got.i == w->value;
    case ELM_WANT_RESIDUE: return (v.i - w->lo) % w->hi == 0;
    case ELM_WANT_REAL: return close_to(v.d, w->d[0]);
    case ELM_WANT_REAL_RANGE: return w->d[0] <= v.d && v.d <= w->d[1];
    case ELM_WANT_REAL_DIFFER: return v.d != w->d[0];
    case ELM_WANT_NONE: return true;
    default: return false;
    }
}

bool elm_want_useful(const struct elm_want *w)
{
    return w->kind > ELM_WANT_NEVER;
}

static bool is_exact(const struct elm_want *w)
{
    return w->kind == ELM_WANT_BITS && w->mask == UINT32_MAX;
}

/* Bits below some bit: what + - * give there depends on nothing above. */
static bool is_low(uint32_t mask)
{
    return (mask & (mask + 1)) == 0;
}

/* The want as an interval of ints; false when it is none. */
static bool interval(const struct elm_want *w, int64_t *lo, int64_t *hi)
{
    if (w->kind == ELM_WANT_RANGE) {
        *lo = w->lo;
        *hi = w->hi;
        return true;
    }
    *lo = *hi = (int32_t)w->value;
    return is_exact(w);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q * b != a && (a < 0) != (b < 0) ? q - 1 : q;
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return -floor_div(-a, b);
}

/* x + c of which w is wanted, or c - x with sign -1. */
static struct elm_want shifted(const struct elm_want *w, int64_t c, int sign)
{
    switch (w->kind) {
    case ELM_WANT_BITS:
        if (!is_low(w->mask))
            return none;
        return bits(sign > 0 ? w->value - (uint32_t)c : (uint32_t)c - w->value, w->mask);
    case ELM_WANT_RANGE:
        return sign > 0 ? range(w->lo - c, w->hi - c) : range(c - w->hi, c - w->lo);
    case ELM_WANT_DIFFER:
        return differ(sign > 0 ? w->lo - c : c - w->lo);
    case ELM_WANT_RESIDUE:
        return residue(sign > 0 ? w->lo - c : c - w->lo, w->hi);
    default: return none;
    }
}

/* c x = lo modulo hi, solved for x by Euclid's algorithm. */
static struct elm_want residue_factor(const struct elm_want *w, int64_t c)
{
    int64_t a = w->hi, b = (c % w->hi + w->hi) % w->hi, of_a = 0, of_b = 1;
    while (b != 0) {
        int64_t q = a / b, rest = a - q * b, of_rest = of_a - q * of_b;
        a = b;
        of_a = of_b;
        b = rest;
        of_b = of_rest;
    }
    if (w->lo % a != 0)
        return never;
    int64_t modulus = w->hi / a;
    return residue(w->lo / a * (of_a % modulus), modulus);
}

static struct elm_want factor(const struct elm_want *w, int64_t c)
{
    int64_t lo, hi;
    union elm_value zero = {.i = 0};
    if (c == 0)
        return elm_want_met(w, zero) ? none : never;
    if (w->kind == ELM_WANT_RESIDUE)
        return residue_factor(w, c);
    if (w->kind == ELM_WANT_DIFFER)
        return w->lo % c == 0 ? differ(w->lo / c) : none;
    if (!interval(w, &lo, &hi))
        return none;
    return c > 0 ? range(ceil_div(lo, c), floor_div(hi, c))
                 : range(ceil_div(hi, c), floor_div(lo, c));
}

/* The interval of x for which x / c is q. */
static void quotient_range(int64_t q, int64_t c, int64_t *lo, int64_t *hi)
{
    int64_t base = q * c, more = (c < 0 ? -c : c) - 1;
    *lo = base > 0 ? base : base - more;
    *hi = base < 0 ? base : base + more;
}

static struct elm_want through(const struct elm_want *w, uint8_t op, uint32_t side, int64_t other)
{
    if (!is_exact(w))
        return none;
    return (struct elm_want){.kind = ELM_WANT_THROUGH, .op = op, .side = (uint8_t)side,
                             .other = (int32_t)other, .value = w->value};
}

static struct elm_want dividend(const struct elm_want *w, int64_t c)
{
    int64_t lo, hi, a, b, e, f;
    if (c == 0 || !interval(w, &lo, &hi))
        return none;
    quotient_range(c > 0 ? lo : hi, c, &a, &b);
    quotient_range(c > 0 ? hi : lo, c, &e, &f);
    return range(a, f);
}

static struct elm_want bitwise(const struct elm_want *w, uint8_t op, uint32_t other, bool exact)
{
    if (w->kind == ELM_WANT_DIFFER) {
        bool flag = op == ELM_NODE_AND && w->lo == 0 && other != 0 && (other & (other - 1)) == 0;
        return flag ? bits(other, other) : none;
    }
    if (w->kind != ELM_WANT_BITS)
        return none;
    if (op == ELM_NODE_XOR)
        return bits(w->value ^ other, w->mask);
    /* where the other operand decides alone, it is right or this operand can't help */
    uint32_t open = op == ELM_NODE_AND ? other : ~other;
    uint32_t wrong = (w->value ^ other) & ~open & w->mask;
    return exact && wrong != 0 ? never : bits(w->value, w->mask & open);
}

static struct elm_want shift_operand(const struct elm_want *w, uint8_t op, uint32_t side,
                                     int64_t a, int64_t s, bool exact)
{
    if (side == 1)
        return through(w, op, 1, a);
    if (s < 0 || s > 31)
        return none;
    int64_t lo, hi;
    if (op == ELM_NODE_SHR) {
        if (interval(w, &lo, &hi))
            return range(lo * (1LL << s), hi * (1LL << s) + (1LL << s) - 1);
        return w->kind == ELM_WANT_BITS ? bits(w->value << s, w->mask << s) : none;
    }
    if (w->kind == ELM_WANT_RANGE)
        return factor(w, 1LL << s);
    if (w->kind != ELM_WANT_BITS)
        return none;
    uint32_t lost = (uint32_t)((1ULL << s) - 1) & w->mask;
    return exact && (w->value & lost) != 0 ? never : bits(w->value >> s, w->mask >> s);
}

/* 1 wanted true, 0 wanted false, -1 either, -2 neither. */
static int truth(const struct elm_want *w)
{
    union elm_value zero = {.i = 0}, one = {.i = 1};
    bool no = elm_want_met(w, zero), yes = elm_want_met(w, one);
    return yes && no ? -1 : yes ? 1 : no ? 0 : -2;
}

static struct elm_want be(bool yes, bool is_real)
{
    if (is_real)
        return yes ? real_differ(0) : real(0);
    return yes ? differ(0) : exactly(0);
}

/* What x must be for `x op other` to hold. */
static struct elm_want compared(uint8_t op, bool is_real, union elm_value other)
{
    if (is_real) {
        double o = other.d;
        switch (op) {
        case ELM_NODE_EQ: return real(o);
        case ELM_NODE_NE: return real_differ(o);
        case ELM_NODE_LT: return real_range(-INFINITY, nextafter(o, -INFINITY));
        case ELM_NODE_LE: return real_range(-INFINITY, o);
        case ELM_NODE_GT: return real_range(nextafter(o, INFINITY), INFINITY);
        default: return real_range(o, INFINITY);
        }
    }
    switch (op) {
    case ELM_NODE_EQ: return exactly(other.i);
    case ELM_NODE_NE: return differ(other.i);
    case ELM_NODE_LT: return range(INT32_MIN, other.i - 1);
    case ELM_NODE_LE: return range(INT32_MIN, other.i);
    case ELM_NODE_GT: return range(other.i + 1, INT32_MAX);
    default: return range(other.i, INT32_MAX);
    }
}

static uint8_t negated(uint8_t op)
{
    static const uint8_t opposite[] = {ELM_NODE_NE, ELM_NODE_EQ, ELM_NODE_GE,
                                       ELM_NODE_GT, ELM_NODE_LE, ELM_NODE_LT};
    return opposite[op - ELM_NODE_EQ];
}

static uint8_t mirrored(uint8_t op)
{
    static const uint8_t mirror[] = {ELM_NODE_EQ, ELM_NODE_NE, ELM_NODE_GT,
                                     ELM_NODE_GE, ELM_NODE_LT, ELM_NODE_LE};
    return mirror[op - ELM_NODE_EQ];
}

static struct elm_want comparison(const struct elm_want *w, uint8_t op, bool is_real,
                                  uint32_t side, union elm_value other)
{
    int yes = truth(w);
    if (yes < 0)
        return yes == -1 ? none : never;
    op = yes ? op : negated(op);
    return compared(side == 0 ? op : mirrored(op), is_real, other);
}

static struct elm_want logic(const struct elm_want *w, uint8_t op, bool is_real, bool other)
{
    int yes = truth(w);
    if (yes < 0)
        return yes == -1 ? none : never;
    /* the other operand decides alone unless it is neutral */
    if (other != (op == ELM_NODE_LOGIC_AND))
        return yes == other ? none : never;
    return be(yes, is_real);
}

static struct elm_want int_operand(const struct elm_want *w, uint8_t op, uint32_t side, int64_t a,
                                   int64_t b, bool exact)
{
    int64_t other = side == 0 ? b : a;
    switch (op) {
    case ELM_NODE_NEG: return shifted(w, 0, -1);
    case ELM_NODE_BIT_NOT:
        return w->kind == ELM_WANT_BITS ? bits(~w->value, w->mask) : shifted(w, -1, -1);
    case ELM_NODE_ADD: return shifted(w, other, 1);
    case ELM_NODE_SUB: return side == 0 ? shifted(w, -b, 1) : shifted(w, a, -1);
    case ELM_NODE_MUL: return factor(w, other);
    case ELM_NODE_DIV: return side == 0 ? dividend(w, b) : through(w, op, 1, a);
    case ELM_NODE_MOD: return through(w, op, side, other);
    case ELM_NODE_AND: case ELM_NODE_OR: case ELM_NODE_XOR:
        return bitwise(w, op, (uint32_t)other, exact);
    case ELM_NODE_SHL: case ELM_NODE_SHR: return shift_operand(w, op, side, a, b, exact);
    default: return none;
    }
}

/* Scales an interval or value by c: the operand was multiplied by 1 / c on the way up. */
static struct elm_want scaled(const struct elm_want *w, double c)
{
    if (w->kind == ELM_WANT_REAL)
        return real(w->d[0] * c);
    if (w->kind == ELM_WANT_REAL_DIFFER)
        return real_differ(w->d[0] * c);
    return c >= 0 ? real_range(w->d[0] * c, w->d[1] * c) : real_range(w->d[1] * c, w->d[0] * c);
}

static struct elm_want real_operand(const struct elm_want *w, uint8_t op, uint32_t side, double a,
                                    double b)
{
    double other = side == 0 ? b : a, d = w->d[0];
    struct elm_want moved = *w;
    switch (op) {
    case ELM_NODE_NEG: return scaled(w, -1);
    case ELM_NODE_ADD:
        moved.d[0] -= other;
        moved.d[1] -= other;
        return moved;
    case ELM_NODE_SUB:
        moved = side == 0 ? *w : scaled(w, -1);
        moved.d[0] += other;
        moved.d[1] += other;
        return moved;
    case ELM_NODE_MUL:
        if (other == 0)
            return elm_want_met(w, (union elm_value){.d = 0}) ? none : never;
        return scaled(w, 1 / other);
    case ELM_NODE_DIV:
        if (side == 0)
            return other == 0 ? never : scaled(w, other);
        return w->kind == ELM_WANT_REAL ? (d == 0 ? never : real(a / d)) : none;
    default: return none;
    }
}

/* What is wanted below MOD: only the remainder counts, as far down as sums and products reach; then the
 * nearest value that would do. */
static struct elm_want settled(const struct elm_want *w, uint8_t op, union elm_value v)
{
    struct elm_want on = *w;
    if (w->kind == ELM_WANT_THROUGH && w->op == ELM_NODE_MOD && w->side == 0 && w->other != 0) {
        int64_t modulus = w->other < 0 ? -(int64_t)w->other : w->other, wanted = (int32_t)w->value;
        on = wanted <= -modulus || wanted >= modulus ? never : residue(wanted, modulus);
    }
    bool carried = op == ELM_NODE_ADD || op == ELM_NODE_SUB || op == ELM_NODE_MUL ||
                   op == ELM_NODE_NEG;
    if (on.kind != ELM_WANT_RESIDUE || carried)
        return on;
    int64_t past = ((v.i - on.lo) % on.hi + on.hi) % on.hi;
    return exactly(v.i - past);
}

struct elm_want elm_want_operand(const struct elm_want *w, uint8_t op, bool is_real,
                                 uint32_t side, union elm_value a, union elm_value b, bool exact)
{
    union elm_value result;
    struct elm_want on = *w;
    if (w->kind == ELM_WANT_THROUGH || w->kind == ELM_WANT_RESIDUE) {
        if (!elm_value_apply(op, is_real, a, b, &result))
            return none;
        on = settled(w, op, result);
    }
    if (!elm_want_useful(&on))
        return on;
    bool other = is_real ? (side == 0 ? b.d : a.d) != 0 : (side == 0 ? b.i : a.i) != 0;
    if (op == ELM_NODE_LOGIC_AND || op == ELM_NODE_LOGIC_OR)
        return logic(&on, op, is_real, other);
    if (op == ELM_NODE_NOT) {
        int yes = truth(&on);
        return yes == -1 ? none : yes == -2 ? never : be(!yes, is_real);
    }
    if (op >= ELM_NODE_EQ && op <= ELM_NODE_GE)
        return comparison(&on, op, is_real, side, side == 0 ? b : a);
    if (op == ELM_NODE_TO_INT || op == ELM_NODE_TO_DOUBLE)
        return is_real == (op == ELM_NODE_TO_DOUBLE) ? on : elm_want_unconvert(&on, is_real);
    return is_real ? real_operand(&on, op, side, a.d, b.d)
                   : int_operand(&on, op, side, a.i, b.i, exact);
}

/* An increasing function's inverse on whatever interval is wanted. */
static struct elm_want unmapped(const struct elm_want *w, double (*inverse)(double), double lo,
                                double hi)
{
    if (w->kind == ELM_WANT_REAL)
        return w->d[0] < lo || w->d[0] > hi ? never : real(inverse(w->d[0]));
    if (w->kind != ELM_WANT_REAL_RANGE || w->d[1] < lo || w->d[0] > hi)
        return none;
    return real_range(w->d[0] <= lo ? -INFINITY : inverse(w->d[0]),
                      w->d[1] >= hi ? INFINITY : inverse(w->d[1]));
}

static double square(double x)
{
    return x * x;
}

static double cube(double x)
{
    return x * x * x;
}

/* The smaller (or larger) of x and other is wanted. */
static struct elm_want extreme(const struct elm_want *w, double other, bool smaller)
{
    if (w->kind != ELM_WANT_REAL)
        return none;
    double d = w->d[0];
    if (close_to(other, d))
        return smaller ? real_range(d, INFINITY) : real_range(-INFINITY, d);
    return (d < other) == smaller ? real(d) : never;
}

struct elm_want elm_want_argument(const struct elm_want *w, uint32_t function, uint32_t side,
                                  union elm_value a, union elm_value b)
{
    if (!elm_want_useful(w))
        return *w;
    double d = w->d[0], other = side == 0 ? b.d : a.d;
    bool value = w->kind == ELM_WANT_REAL;
    switch (function) {
    case 0: return unmapped(w, square, 0, INFINITY);
    case 1: return value ? (d < 0 ? never : real(copysign(d, a.d))) : none;
    case 2: return value ? real_range(d, nextafter(d + 1, -INFINITY)) : none;
    case 3: return value ? real_range(nextafter(d - 1, INFINITY), d) : none;
    case 7: return unmapped(w, tan, -1.5707963267948966, 1.5707963267948966);
    case 9: return unmapped(w, log, 0, INFINITY);
    case 10: return unmapped(w, exp, -INFINITY, INFINITY);
    case 11:
        if (!value || d <= 0 || (side == 1 && (a.d <= 0 || a.d == 1)) || (side == 0 && b.d == 0))
            return none;
        return side == 0 ? real(pow(d, 1 / b.d)) : real(log(d) / log(a.d));
    case 12: return extreme(w, other, true);
    case 13: return extreme(w, other, false);
    case 15: return unmapped(w, atanh, -1, 1);
    case 16: return unmapped(w, cube, -INFINITY, INFINITY);
    case 17: return value ? real_range(d - 0.5, d + 0.5) : none;
    case 18: return is_exact(w) ? exactly(a.i < 0 ? -(int64_t)(int32_t)w->value
                                                  : (int32_t)w->value) : none;
    case 19:
        if (!value || fabs(d) < fabs(other))
            return value ? never : none;
        return real(copysign(sqrt(d * d - other * other), side == 0 ? a.d : b.d));
    default: return none;
    }
}

static struct elm_want to_int(const struct elm_want *w)
{
    double d = w->d[0], near = rint(d);
    switch (w->kind) {
    case ELM_WANT_REAL: return close_to(near, d) && fabs(d) < 3e9 ? exactly((int64_t)near) : never;
    case ELM_WANT_REAL_RANGE: {
        double lo = ceil(fmax(d, INT32_MIN)), hi = floor(fmin(w->d[1], INT32_MAX));
        return lo > hi ? never : range((int64_t)lo, (int64_t)hi);
    }
    case ELM_WANT_REAL_DIFFER: return d == near && fabs(d) < 2e9 ? differ((int64_t)d) : none;
    default: return none;
    }
}

struct elm_want elm_want_unconvert(const struct elm_want *w, bool was_real)
{
    if (!elm_want_useful(w))
        return *w;
    if (!was_real)
        return to_int(w);
    int64_t lo, hi;
    if (!interval(w, &lo, &hi))
        return none;
    /* towards zero */
    double from = lo > 0 ? (double)lo : nextafter((double)lo - 1, INFINITY);
    double to = hi < 0 ? (double)hi : nextafter((double)hi + 1, -INFINITY);
    return real_range(from, to);
}

struct elm_want elm_want_both(const struct elm_want *a, const struct elm_want *b, bool exact)
{
    int64_t lo, hi, from, to;
    if (a->kind == ELM_WANT_NONE || b->kind == ELM_WANT_NEVER)
        return *b;
    if (b->kind == ELM_WANT_NONE || a->kind == ELM_WANT_NEVER)
        return *a;
    if (a->kind == ELM_WANT_BITS && b->kind == ELM_WANT_BITS) {
        uint32_t clash = (a->value ^ b->value) & a->mask & b->mask;
        if (clash != 0 && exact)
            return never;
        return bits(a->value | b->value, (a->mask | b->mask) & ~clash);
    }
    if (interval(a, &lo, &hi) && interval(b, &from, &to))
        return range(lo > from ? lo : from, hi < to ? hi : to);
    if (a->kind >= ELM_WANT_REAL && a->kind != ELM_WANT_REAL_DIFFER)
        return elm_want_met(b, (union elm_value){.d = a->d[0]}) ? *a : never;
    /* the narrower kind, if its value suits the other one */
    const struct elm_want *first = is_exact(a) || b->kind == ELM_WANT_DIFFER ? a : b;
    const struct elm_want *second = first == a ? b : a;
    if (is_exact(first))
        return elm_want_met(second, (union elm_value){.i = (int32_t)first->value}) ? *first : never;
    return *first;
}

/* ---- values ---- */

static bool apply_real(uint8_t op, double a, double b, union elm_value *out)
{
    switch (op) {
    case ELM_NODE_NEG: out->d = -a; return true;
    case ELM_NODE_NOT: out->i = a == 0; return true;
    case ELM_NODE_TO_DOUBLE: out->d = a; return true;
    case ELM_NODE_TO_INT:
        if (!(a > -2147483649.0 && a < 2147483648.0))
            return false;
        out->i = (int32_t)a;
        return true;
    case ELM_NODE_ADD: out->d = a + b; return true;
    case ELM_NODE_SUB: out->d = a - b; return true;
    case ELM_NODE_MUL: out->d = a * b; return true;
    case ELM_NODE_DIV: out->d = a / b; return true;
    case ELM_NODE_EQ: out->i = a == b; return true;
    case ELM_NODE_NE: out->i = a != b; return true;
    case ELM_NODE_LT: out->i = a < b; return true;
    case ELM_NODE_LE: out->i = a <= b; return true;
    case ELM_NODE_GT: out->i = a > b; return true;
    case ELM_NODE_GE: out->i = a >= b; return true;
    default: return false;
    }
}

static int64_t wrap(uint64_t v)
{
    return (int32_t)(uint32_t)v;
}

bool elm_value_apply(uint8_t op, bool is_real, union elm_value x, union elm_value y,
                     union elm_value *out)
{
    if (is_real)
        return apply_real(op, x.d, y.d, out);
    int64_t a = x.i, b = y.i;
    switch (op) {
    case ELM_NODE_NEG: out->i = wrap(0 - (uint64_t)a); return true;
    case ELM_NODE_NOT: out->i = a == 0; return true;
    case ELM_NODE_BIT_NOT: out->i = ~a; return true;
    case ELM_NODE_TO_INT: out->i = a; return true;
    case ELM_NODE_TO_DOUBLE: out->d = (double)a; return true;
    case ELM_NODE_ADD: out->i = wrap((uint64_t)a + (uint64_t)b); return true;
    case ELM_NODE_SUB: out->i = wrap((uint64_t)a - (uint64_t)b); return true;
    case ELM_NODE_MUL: out->i = wrap((uint64_t)a * (uint64_t)b); return true;
    case ELM_NODE_DIV: case ELM_NODE_MOD:
        if (b == 0 || (b == -1 && a == INT32_MIN))
            return false;
        out->i = op == ELM_NODE_DIV ? a / b : a % b;
        return true;
    case ELM_NODE_AND: out->i = a & b; return true;
    case ELM_NODE_OR: out->i = a | b; return true;
    case ELM_NODE_XOR: out->i = a ^ b; return true;
    case ELM_NODE_SHL: case ELM_NODE_SHR:
        if (b < 0 || b > 31)
            return false;
        out->i = op == ELM_NODE_SHR ? a >> b : wrap((uint64_t)(uint32_t)a << b);
        return true;
    case ELM_NODE_EQ: out->i = a == b; return true;
    case ELM_NODE_NE: out->i = a != b; return true;
    case ELM_NODE_LT: out->i = a < b; return true;
    case ELM_NODE_LE: out->i = a <= b; return true;
    case ELM_NODE_GT: out->i = a > b; return true;
    case ELM_NODE_GE: out->i = a >= b; return true;
    default: return false;
    }
}

union elm_value elm_value_math(uint32_t function, union elm_value a, union elm_value b)
{
    static double (*const one[ELM_MATH_FUNCTIONS])(double) = {
        sqrt, fabs, floor, ceil, sin, cos, tan, atan, NULL, exp, log, NULL, NULL, NULL, NULL, tanh,
        cbrt, round,
    };
    static double (*const two[ELM_MATH_FUNCTIONS])(double, double) = {
        [8] = atan2, [11] = pow, [12] = fmin, [13] = fmax, [14] = fmod, [19] = hypot,
    };
    if (function == 18)
        return (union elm_value){.i = a.i < 0 ? wrap(0 - (uint64_t)a.i) : a.i};
    double d = one[function] != NULL ? one[function](a.d) : two[function](a.d, b.d);
    return (union elm_value){.d = d};
}
