/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which maps are watched, and whose writes are not logged. A verdict per map id: the first
 * operation on a map compares its name with the watched names, every later one reads an
 * array slot, so that a map nobody watches costs next to nothing.
 */
#ifndef MAPLOG_WATCH_H
#define MAPLOG_WATCH_H

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);	/* the daemon sets the size */
} maplog_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAPLOG_VERDICTS);
	__type(key, __u32);
	__type(value, __u32);
} maplog_verdicts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} maplog_beyond SEC(".maps");

/* One lookup finds a name among thousands, exact or by its prefix. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAPLOG_NAMES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct maplog_name);
	__type(value, __u32);
} maplog_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAPLOG_SLOTS);
	__type(key, __u32);
	__type(value, struct maplog_losses);
} maplog_losses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct maplog_config);
} maplog_config SEC(".maps");

/* Replicators: thread group (initial pid namespace) -> start time of its leader in 1/100 s since boot. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} maplog_writers SEC(".maps");

/* Set by the daemon before the programs are loaded. */
const volatile struct maplog_constants constants = { .possible_cpus = 1 };

/* A map as the hook met it. */
struct target {
	void *map;
	__u32 id;
	__u32 type;	/* type and sizes in the kernel's order: they are read at once */
	__u32 key_size;
	__u32 value_size;
	__u32 verdict;
};

static __always_inline bool is_per_cpu(__u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static __always_inline bool is_supported(__u32 type)
{
	return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_ARRAY ||
	       type == BPF_MAP_TYPE_LPM_TRIE || is_per_cpu(type);
}

/* Bytes of a value as bpf(2) carries it: of a per-CPU map every CPU's. */
static __always_inline __u32 whole_value(const struct target *t)
{
	return is_per_cpu(t->type) ? (t->value_size + 7) / 8 * 8 * (__u32)constants.possible_cpus : t->value_size;
}

static __always_inline void announce(const struct target *t)
{
	struct {
		struct maplog_record record;
		struct maplog_map_seen map;
	} *r = bpf_ringbuf_reserve(&maplog_ring, sizeof(*r), 0);
	struct bpf_map *map = t->map;

	if (!r)
		return;	/* the daemon finds the map by its id as well, only later */
	__builtin_memset(r, 0, sizeof(*r));
	r->record.time = bpf_ktime_get_boot_ns();
	r->record.map_id = t->id;
	r->record.operation = MAPLOG_MAP_SEEN;
	r->record.cpu = bpf_get_smp_processor_id();
	r->map.type = t->type;
	r->map.key_size = t->key_size;
	r->map.value_size = t->value_size;
	r->map.max_entries = BPF_CORE_READ(map, max_entries);
	r->map.map_flags = BPF_CORE_READ(map, map_flags);
	bpf_core_read(r->map.name, sizeof(r->map.name), &map->name);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* The first operation on a map: is its name one of the watched? */
static __noinline __u32 judge(struct target *t)
{
	struct bpf_map *map = t->map;
	__u32 verdict = MAPLOG_IGNORED, id = t->id;
	struct maplog_name name = { .bits = 8 * sizeof(name.name) };

	bpf_core_read(name.name, sizeof(name.name), &map->name);
	if (is_supported(t->type) && bpf_map_lookup_elem(&maplog_names, &name))
		verdict = MAPLOG_WATCHED;
	if (id < MAPLOG_VERDICTS) {
		__u32 *v = bpf_map_lookup_elem(&maplog_verdicts, &id);

		if (v && *v)	/* the daemon or another CPU was first */
			return *v;
		if (v)
			*v = verdict;
	} else {
		bpf_map_update_elem(&maplog_beyond, &id, &verdict, BPF_NOEXIST);
	}
	if (verdict == MAPLOG_WATCHED)
		announce(t);
	return verdict;
}

/* Apart: the kernel makes an array's lookup a few instructions only where no other map may be meant. */
static __noinline __u32 verdict_beyond(__u32 id)
{
	__u32 *v = bpf_map_lookup_elem(&maplog_beyond, &id);

	return v ? *v : MAPLOG_NOT_JUDGED;
}

static __always_inline __u32 verdict_of(__u32 id)
{
	__u32 *v;

	if (id >= MAPLOG_VERDICTS)
		return verdict_beyond(id);
	v = bpf_map_lookup_elem(&maplog_verdicts, &id);
	return v ? *v : MAPLOG_NOT_JUDGED;
}

/* Whether the map is watched; all else of the target is set, the verdict as the maps have it. */
static __always_inline bool is_watched(struct target *t)
{
	if (t->verdict == MAPLOG_NOT_JUDGED)
		t->verdict = judge(t);
	return t->verdict >= MAPLOG_WATCHED;
}

static __always_inline struct maplog_losses *losses_of(const struct target *t)
{
	__u32 slot = t->verdict - MAPLOG_WATCHED;

	return bpf_map_lookup_elem(&maplog_losses, &slot);
}

/* A replicator's own write, by its thread group and start time: another process that got its id later is not it. */
static __always_inline bool is_replicator(struct task_struct *task)
{
	__u32 tgid = knows_task() ? task->tgid : bpf_get_current_pid_tgid() >> 32;
	__u64 *since = bpf_map_lookup_elem(&maplog_writers, &tgid);

	return since && *since == BPF_CORE_READ(task, group_leader, start_boottime) / 10000000;
}

#endif
