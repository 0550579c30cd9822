/* a change model of any bytes: refused with a message, or numbers that give a finite score. */
#include "elm/changes.h"
#include "fuzz.h"
#include "memory_file.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct elm_changes m;
    struct memory_file f = memory_file_open(data, size);
    struct elm_error err = {0};
    if (elm_changes_read(f.path, &m, &err) == ELM_OK) {
        float clues[ELM_CLUES];
        for (uint32_t i = 0; i < ELM_CLUES; i++)
            clues[i] = (float)(i % 3) - 1;
        ELM_ASSERT(isfinite(elm_changes_score(&m, clues, NULL)));
    } else {
        ELM_ASSERT(err.message[0] != '\0');
    }
    memory_file_close(&f);
    return 0;
}
