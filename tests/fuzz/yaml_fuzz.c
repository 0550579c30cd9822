/* a problem.yaml of any bytes: refused with a message that names the file, or a tree no larger than
 * its text. */
#include "fuzz.h"
#include "problem/yaml.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t count_nodes(const struct yaml_node *n)
{
    size_t count = 1;
    for (const struct yaml_node *k = n->first; k != NULL; k = k->next)
        count += count_nodes(k);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("problem.yaml", 0);
    ELM_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct yaml_file f;
    struct elm_error err = {0};
    if (yaml_open(path, &f, &err) == ELM_OK) {
        ELM_ASSERT(count_nodes(f.root) <= size + 1);
        yaml_close(&f);
    } else {
        ELM_ASSERT(strstr(err.message, path) != NULL);
    }
    close(fd);
    return 0;
}
