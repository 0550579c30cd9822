/* json: what jansson lacks. */
#include "cli/json.h"

#include <math.h>
#include <string.h>

json_t *json_whole(json_t *value)
{
    ELM_ASSERT(value != NULL);
    return value;
}

json_t *json_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *json_text(struct elm_str text)
{
    if (text.ptr == NULL)
        return json_null();
    json_t *whole = json_stringn(text.ptr, text.len);
    if (whole != NULL)
        return whole;
    struct elm_buf good = {0};
    for (size_t i = 0; i < text.len;) {
        size_t len = 1;
        json_t *one = NULL;
        for (; len <= 4 && i + len <= text.len && one == NULL; len++)
            one = json_stringn(text.ptr + i, len);
        if (one != NULL) {
            elm_buf_add(&good, text.ptr + i, --len);
            json_decref(one);
        } else {
            elm_buf_printf(&good, "\xef\xbf\xbd");
            len = 1;
        }
        i += len;
    }
    whole = json_stringn(good.ptr, good.len);
    elm_buf_release(&good);
    return whole;
}

json_t *json_hash(uint64_t hash)
{
    return hash == 0 ? json_null() : json_sprintf("%016llx", (unsigned long long)hash);
}

int json_print(json_t *document, FILE *to, bool one_line)
{
    size_t flags = one_line ? JSON_COMPACT : JSON_INDENT(2);
    /* a failed write shows in ferror(to) */
    (void)json_dumpf(document, to, flags | JSON_REAL_PRECISION(17) | JSON_ENSURE_ASCII);
    fputc('\n', to);
    json_decref(document);
    return 0;
}
