/* a --config file of any bytes: refused with a message that names the file, or values that their
 * options take when they are given as flags. */
#include "fuzz.h"
#include "cli/options.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_value(enum option_id id, const struct option_value *read)
{
    const struct option_info *o = &option_table[id];
    struct invocation flag = {0};
    struct elm_error err = {0};
    ELM_ASSERT(o->key && read->origin == FROM_FILE && read->text != NULL);
    ELM_ASSERT(option_assign(&flag, id, read->text, FROM_FLAG, "--flag", &err) == ELM_OK);
    ELM_ASSERT(flag.values[id].on == read->on);
    ELM_ASSERT(memcmp(&flag.values[id].number, &read->number, sizeof(read->number)) == 0);
    if ((o->type == OPTION_COUNT || o->type == OPTION_REAL) && read->number == read->number)
        ELM_ASSERT(read->number >= o->lo && read->number <= o->hi);
    elm_arena_release(&flag.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("config", 0);
    ELM_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct invocation v = {0};
    struct elm_error err = {0};
    /* what a flag said stays */
    ELM_ASSERT(option_assign(&v, OPT_WORKERS, "3", FROM_FLAG, "--workers", &err) == ELM_OK);
    if (config_read(&v, path, &err) == ELM_OK) {
        for (int id = 0; id < OPTIONS; id++) {
            if (id != OPT_WORKERS && v.values[id].origin != FROM_DEFAULT)
                check_value((enum option_id)id, &v.values[id]);
        }
    } else {
        ELM_ASSERT(err.status == ELM_USAGE && strstr(err.message, path) != NULL);
    }
    ELM_ASSERT(v.values[OPT_WORKERS].origin == FROM_FLAG && v.values[OPT_WORKERS].number == 3);
    elm_arena_release(&v.arena);
    close(fd);
    return 0;
}
