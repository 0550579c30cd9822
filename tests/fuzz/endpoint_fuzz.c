/* an --endpoint of any text: refused with a message that shows nothing behind a "key=", or something
 * that the backend can use. */
#include "fuzz.h"
#include "elm/remote.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = elm_strndup((const char *)data, size);
    struct elm_arena arena = {0};
    struct elm_endpoint e;
    struct elm_place place;
    struct elm_error err = {0};
    enum elm_status status = elm_endpoint_parse(text, &e, &arena, &err);
    if (status == ELM_OK) {
        ELM_ASSERT(elm_endpoint_check(&e, &place, &err) == ELM_OK && place.host[0] != '\0');
        ELM_ASSERT(strncasecmp(e.url, "http", 4) == 0 && strchr(e.url, ',') == NULL);
        ELM_ASSERT(e.weight > 0 && e.money_in >= 0 && e.money_out >= 0);
        ELM_ASSERT(place.loopback || strncasecmp(e.url, "http:", 5) != 0 ||
                   (e.key_env == NULL && e.key_file == NULL));
    } else {
        ELM_ASSERT(status == ELM_USAGE && err.message[0] != '\0');
        /* a host is shown, and ends with what begins one of these */
        text[strcspn(text, ",?#")] = '\0';
        ELM_ASSERT(strstr(err.message, "sk-key") == NULL || strstr(text, "sk-key") != NULL);
    }
    elm_arena_release(&arena);
    free(text);
    return 0;
}
