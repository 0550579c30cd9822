/* error: status with a message, and the assertion that never compiles away. */
#include "elm/base.h"

#include <stdio.h>
#include <stdlib.h>

enum elm_status elm_fail(struct elm_error *err, enum elm_status status, const char *format, ...)
{
    if (err != NULL) {
        /* the old message may be an argument of the new one */
        char message[sizeof(err->message)];
        va_list args;
        va_start(args, format);
        vsnprintf(message, sizeof(message), format, args);
        va_end(args);
        err->status = status;
        for (size_t i = 0; i < sizeof(message); i++) {
            err->message[i] = message[i];
            if (message[i] == '\0')
                break;
        }
    }
    return status;
}

void elm_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "elm: bug: assertion '%s' failed at %s:%d\n", condition, file, line);
    abort();
}
