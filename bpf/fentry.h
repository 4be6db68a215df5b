/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The fentry probe: fexit programs on the map operations. */
#ifndef MAPLOG_FENTRY_H
#define MAPLOG_FENTRY_H

#include "calls.h"

static __always_inline int updated(struct bpf_map *map, const void *key, const void *value, __u64 flags, bool one_cpu, int result,
				   const void *call, const bool spare)
{
	__u32 verdict = verdict_of(map->id);

	if (result || verdict == MAPLOG_IGNORED || !is_mine(call, spare))
		return 0;

	struct change c = { .t = TARGET(map, verdict) };

	if (!is_watched(&c.t))
		return 0;
	size_value(&c, one_cpu, flags);
	change(&c, MAPLOG_UPDATE, who_wrote(), key, value);
	return 0;
}

static __always_inline int deleted(struct bpf_map *map, const void *key, int result, const void *call, const bool spare)
{
	__u32 verdict = verdict_of(map->id);

	if (result || verdict == MAPLOG_IGNORED || !is_mine(call, spare))
		return 0;

	struct change c = { .t = TARGET(map, verdict) };

	if (!is_watched(&c.t))
		return 0;
	change(&c, MAPLOG_DELETE, who_wrote(), key, 0);
	return 0;
}

static __always_inline int evicted(void *map, void *node, bool done, const void *call, const bool spare)
{
	struct change c = {};

	if (!done)
		return 0;
	target_of(&c.t, map);	/* a void * there: struct bpf_htab, which begins with its map */
	if (is_watched(&c.t) && is_mine(call, spare))
		change(&c, MAPLOG_EVICT, MAPLOG_BY_EVICTION, key_of_node(node), 0);
	return 0;
}

/* Every function is hooked twice: calls.h says why. `one_cpu`: the function writes the running CPU's value of a per-CPU map. */
#define FEXIT(function, done)								\
SEC("fexit/" #function) int fexit_##function(__u64 *ctx) { const bool spare = false; return done; }	\
SEC("fexit/" #function) int spare_##function(__u64 *ctx) { const bool spare = true; return done; }

#define FEXIT_UPDATE(function, one_cpu) \
	FEXIT(function, updated((struct bpf_map *)ctx[0], (void *)ctx[1], (void *)ctx[2], ctx[3], one_cpu, ctx[4], ctx, spare))
#define FEXIT_DELETE(function) \
	FEXIT(function, deleted((struct bpf_map *)ctx[0], (void *)ctx[1], ctx[2], ctx, spare))
#define FEXIT_TAKE(function) \
	FEXIT(function, deleted((struct bpf_map *)ctx[0], (void *)ctx[1], ctx[4], ctx, spare))

FEXIT_UPDATE(htab_map_update_elem, false)
FEXIT_UPDATE(htab_lru_map_update_elem, false)
FEXIT_UPDATE(htab_percpu_map_update_elem, true)
FEXIT_UPDATE(htab_lru_percpu_map_update_elem, true)
FEXIT_UPDATE(bpf_percpu_hash_update, false)
FEXIT_UPDATE(bpf_percpu_array_update, false)
FEXIT_UPDATE(array_map_update_elem, true)
FEXIT_UPDATE(trie_update_elem, false)
FEXIT_DELETE(htab_map_delete_elem)
FEXIT_DELETE(htab_lru_map_delete_elem)
FEXIT_DELETE(trie_delete_elem)
FEXIT_TAKE(htab_map_lookup_and_delete_elem)
FEXIT_TAKE(htab_lru_map_lookup_and_delete_elem)
FEXIT_TAKE(htab_percpu_map_lookup_and_delete_elem)
FEXIT_TAKE(htab_lru_percpu_map_lookup_and_delete_elem)
FEXIT(htab_lru_map_delete_node, evicted((void *)ctx[0], (void *)ctx[1], ctx[2] & 0xff, ctx, spare))

/* lookup_and_delete_batch deletes under the bucket's lock without any operation of the map being called. */
static __always_inline int taken(struct bpf_map *map, __u64 attr_at, int result, const bool looped, const void *call, const bool spare)
{
	__u32 verdict = verdict_of(map->id);

	if (verdict == MAPLOG_IGNORED || !is_mine(call, spare))
		return 0;

	struct batch b = { .c = { .t = TARGET(map, verdict) } };

	if (!is_watched(&b.c.t))
		return 0;
	b.c.task = current_task();
	if (is_replicator(b.c.task))
		return 0;
	if (result == -EFAULT) {	/* what it had deleted and could not hand over, nobody knows */
		b.c.count = 1;
		count_loss(&b.c, UNREADABLE);
		return 0;
	}
	batch_done(&b, MAPLOG_DELETE, attr_at, result, looped);
	return 0;
}

#define FEXIT_TAKE_BATCH(function)							\
	FEXIT(function, taken((struct bpf_map *)ctx[0], ctx[2], ctx[3], true, ctx, spare))	\
SEC("fexit/" #function) int unlooped_##function(__u64 *ctx) { return taken((struct bpf_map *)ctx[0], ctx[2], ctx[3], false, ctx, false); }	\
SEC("fexit/" #function) int unlooped_spare_##function(__u64 *ctx) { return taken((struct bpf_map *)ctx[0], ctx[2], ctx[3], false, ctx, true); }

FEXIT_TAKE_BATCH(htab_map_lookup_and_delete_batch)
FEXIT_TAKE_BATCH(htab_lru_map_lookup_and_delete_batch)
FEXIT_TAKE_BATCH(htab_percpu_map_lookup_and_delete_batch)
FEXIT_TAKE_BATCH(htab_lru_percpu_map_lookup_and_delete_batch)

#endif
