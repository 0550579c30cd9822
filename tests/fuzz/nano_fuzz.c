/* a tree-edit model of any bytes, or a good one with bytes laid over it: refused with a message, or
 * weights that are numbers. The first byte says which; of the second kind every four bytes are a place,
 * from the top or where the tensors are named, and a value. */
#include "elm/nano.h"
#include "fuzz.h"
#include "memory_file.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 8192              /* keys and names of tensors come first */

static void good_model(struct elm_buf *out)
{
    char folder[] = "/tmp/elm-nano-fuzz-XXXXXX", path[64];
    struct elm_nano_config config = {32, 1, 32};
    struct elm_nano *n = NULL;
    ELM_ASSERT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/model.gguf", folder);
    ELM_ASSERT(elm_nano_new(&config, 1, &n, NULL) == ELM_OK);
    ELM_ASSERT(elm_nano_write(n, NULL, path, NULL) == ELM_OK);
    ELM_ASSERT(elm_file_read(path, 1 << 24, out, NULL) == ELM_OK);
    elm_nano_free(n);
    unlink(path);
    rmdir(folder);
}

static void open_it(const void *bytes, size_t size)
{
    struct memory_file f = memory_file_open(bytes, size);
    struct elm_nano *n = NULL;
    struct elm_error err = {0};
    if (elm_nano_open(f.path, &n, &err) == ELM_OK) {
        uint32_t count;
        const struct elm_nano_tensor *t = elm_nano_tensors(n, &count);
        const float *weights = elm_nano_weights(n);
        ELM_ASSERT(count > 0 && t[count - 1].at < elm_nano_size(n));
        for (size_t i = 0; i < elm_nano_size(n); i++)
            ELM_ASSERT(weights[i] - weights[i] == 0);
        elm_nano_free(n);
    } else {
        ELM_ASSERT(err.message[0] != '\0' && n == NULL);
    }
    memory_file_close(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct elm_buf good;  /* one for all inputs: it is the same */
    struct elm_buf b = {0};
    if (good.len == 0)
        good_model(&good);
    if (size == 0)
        return 0;
    if (data[0] % 4 != 0) {
        elm_buf_add_str(&b, elm_buf_str(&good));
        for (size_t i = 1; i + 4 <= size; i += 4) {
            size_t at = (size_t)data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16;
            b.ptr[at % (data[0] % 4 == 1 ? b.len : PLACES)] = (char)data[i + 3];
        }
        open_it(b.ptr, b.len);
    } else {
        open_it(data + 1, size - 1);
    }
    elm_buf_release(&b);
    return 0;
}
