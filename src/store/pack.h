/*
 * pack: attempts as columns, each column compressed by itself. A row holds up to
 * PACK_ATTEMPTS_MAX attempts; docs/store.md has the layout. Knows nothing of SQLite.
 */
#ifndef ELM_STORE_PACK_H
#define ELM_STORE_PACK_H

#include "elm/store.h"

#define PACK_ATTEMPTS_MAX 1024
/* of one edit or text; the bytes of a row stay below PACK_BYTES_AIM plus one edit */
#define PACK_EDIT_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define PACK_BYTES_AIM ((size_t)1024 * 1024)

/* Reusable memory of one thread. */
struct packer;
struct packer *packer_new(void);
void packer_free(struct packer *p);
/* Appends the row of `count` attempts, 1 .. PACK_ATTEMPTS_MAX, in order of id. */
void pack_encode(struct packer *p, const struct elm_attempt *attempts, uint32_t count,
                 struct elm_buf *out);
/* The attempts of a row whose first id and count are known; they live in `arena`. Any bytes may
 * be given: false when they are not what `pack` wrote. */
bool pack_decode(struct elm_str bytes, int64_t first, uint32_t count, struct elm_arena *arena,
                 struct elm_attempt **out);

#endif
