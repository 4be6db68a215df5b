/* SPDX-License-Identifier: Apache-2.0 */
/* The table of rows. Names are WRITER_TYPE_OPERATION, within the kernel's 15 characters. */
#include "rows.h"

#include <stdarg.h>

enum type_index { HASH, LRU, ARRAY, LPM, PER_CPU_HASH, PER_CPU_ARRAY, PER_CPU_LRU, TYPES };

static const struct {
	const char *word;
	struct shape shape;
} types[TYPES] = {
	[HASH] = {"hash", {BPF_MAP_TYPE_HASH, 24, 64, 1024, 0}},
	[LRU] = {"lru", {BPF_MAP_TYPE_LRU_HASH, 24, 64, 8192, 0}},
	[ARRAY] = {"array", {BPF_MAP_TYPE_ARRAY, 4, 64, 64, 0}},
	[LPM] = {"lpm", {BPF_MAP_TYPE_LPM_TRIE, 20, 64, 1024, BPF_F_NO_PREALLOC}},
	[PER_CPU_HASH] = {"phash", {BPF_MAP_TYPE_PERCPU_HASH, 24, 32, 1024, 0}},
	[PER_CPU_ARRAY] = {"parray", {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32, 64, 0}},
	[PER_CPU_LRU] = {"plru", {BPF_MAP_TYPE_LRU_PERCPU_HASH, 24, 32, 8192, 0}},
};

static struct row *rows;
static size_t used, room;
static uint32_t changes;

static struct row *add(struct shape shape, enum writer writer, enum call call, enum script script, const char *format, ...)
{
	va_list arguments;

	if (used == room) {
		room = room ? 2 * room : 64;
		rows = realloc(rows, room * sizeof *rows);
		if (!rows)
			die("no memory for the table of rows");
	}
	struct row *row = &rows[used++];
	*row = (struct row){.shape = shape, .writer = writer, .call = call, .script = script};
	va_start(arguments, format);
	int length = vsnprintf(row->name, sizeof row->name, format, arguments);
	va_end(arguments);
	if (length >= (int)sizeof row->name)
		die("the row name %s is too long for a map", row->name);
	/* Room for every key; an LRU map evicts nothing while it is mostly empty. */
	if (script == UPDATES || script == DELETES || script == ONE_CPU || script == ALL_CPUS) {
		uint32_t wanted = is_lru(shape.type) ? 16 * changes : 2 * changes;

		if (!is_array(shape.type) && row->shape.entries < wanted)
			row->shape.entries = wanted;
	}
	return row;
}

static bool has_batch_delete(enum type_index type)
{
	return type != ARRAY && type != PER_CPU_ARRAY;
}

static bool has_lookup_and_delete(enum type_index type)
{
	return has_batch_delete(type) && type != LPM;
}

static void networking_rows(enum writer writer, const char *word)
{
	for (int type = 0; type < TYPES; type++) {
		add(types[type].shape, writer, CALL_ELEMENT, UPDATES, "%s_%s_up", word, types[type].word);
		if (!is_array(types[type].shape.type))
			add(types[type].shape, writer, CALL_ELEMENT, DELETES, "%s_%s_del", word, types[type].word);
	}
}

static void tracing_rows(enum writer writer, const char *word)
{
	add(types[HASH].shape, writer, CALL_ELEMENT, UPDATES, "%s_hash_up", word);
	add(types[HASH].shape, writer, CALL_ELEMENT, DELETES, "%s_hash_del", word);
}

static void syscall_rows(void)
{
	for (int type = 0; type < TYPES; type++) {
		struct shape shape = types[type].shape;
		const char *word = types[type].word;

		add(shape, BY_SYSCALL, CALL_ELEMENT, UPDATES, "sys_%s_up", word);
		add(shape, BY_SYSCALL, CALL_BATCH, UPDATES, "sys_%s_upb", word);
		if (has_batch_delete(type)) {
			add(shape, BY_SYSCALL, CALL_ELEMENT, DELETES, "sys_%s_del", word);
			add(shape, BY_SYSCALL, CALL_BATCH, DELETES, "sys_%s_delb", word);
		}
		if (has_lookup_and_delete(type)) {
			add(shape, BY_SYSCALL, CALL_LOOKUP_DELETE, DELETES, "sys_%s_lad", word);
			add(shape, BY_SYSCALL, CALL_LOOKUP_DELETE_BATCH, DELETES, "sys_%s_ladb", word);
		}
	}
}

/* Elements from the allocator instead of a free list, and sizes that are no multiple of anything. */
static void odd_rows(void)
{
	struct shape lazy = types[HASH].shape, odd = types[HASH].shape;

	lazy.flags = BPF_F_NO_PREALLOC;
	odd.key_size = 5;
	odd.value_size = 13;
	add(lazy, BY_XDP, CALL_ELEMENT, UPDATES, "xdp_lazy_up");
	add(lazy, BY_XDP, CALL_ELEMENT, DELETES, "xdp_lazy_del");
	add(lazy, BY_SYSCALL, CALL_ELEMENT, UPDATES, "sys_lazy_up");
	add(lazy, BY_SYSCALL, CALL_ELEMENT, DELETES, "sys_lazy_del");
	add(odd, BY_XDP, CALL_ELEMENT, UPDATES, "xdp_odd_up");
	add(odd, BY_XDP, CALL_ELEMENT, DELETES, "xdp_odd_del");
	add(odd, BY_SYSCALL, CALL_ELEMENT, UPDATES, "sys_odd_up");
	add(odd, BY_SYSCALL, CALL_BATCH, UPDATES, "sys_odd_upb");
	add(odd, BY_SYSCALL, CALL_ELEMENT, DELETES, "sys_odd_del");
	add(types[LPM].shape, BY_SYSCALL, CALL_ELEMENT, LOOSE, "sys_lpm_loose");
	add(types[LPM].shape, BY_XDP, CALL_ELEMENT, LOOSE, "xdp_lpm_loose");
}

/* New in 7.x: one slot's value for one CPU, or for all. */
static void slot_rows(void)
{
	static const enum type_index per_cpu[] = {PER_CPU_HASH, PER_CPU_ARRAY, PER_CPU_LRU};

	for (size_t i = 0; i < sizeof per_cpu / sizeof *per_cpu; i++) {
		struct shape shape = types[per_cpu[i]].shape;
		const char *word = types[per_cpu[i]].word;

		add(shape, BY_SYSCALL, CALL_ELEMENT, ONE_CPU, "one_%s_up", word);
		add(shape, BY_SYSCALL, CALL_BATCH, ONE_CPU, "one_%s_upb", word);
		add(shape, BY_SYSCALL, CALL_ELEMENT, ALL_CPUS, "all_%s_up", word);
		add(shape, BY_SYSCALL, CALL_BATCH, ALL_CPUS, "all_%s_upb", word);
	}
}

static void refusal_rows(void)
{
	for (int type = 0; type < TYPES; type++) {
		struct shape shape = types[type].shape;

		if (type == HASH || type == PER_CPU_HASH)
			shape.entries = 64; /* so that it is full now and then */
		add(shape, BY_SYSCALL, CALL_ELEMENT, REFUSALS, "no_sys_%s", types[type].word);
		add(shape, BY_XDP, CALL_ELEMENT, REFUSALS, "no_xdp_%s", types[type].word);
		if (type == HASH) {
			add(shape, BY_KPROBE, CALL_ELEMENT, REFUSALS, "no_kp_hash");
			add(shape, BY_SYSCALL, CALL_BATCH, FULL_BATCH, "no_sys_upb");
			add(shape, BY_SYSCALL, CALL_BATCH, ABSENT_BATCH, "no_sys_delb");
		}
	}
}

static void eviction_rows(void)
{
	struct shape lru = types[LRU].shape, per_cpu = types[PER_CPU_LRU].shape, own_lists = types[LRU].shape;

	lru.entries = per_cpu.entries = own_lists.entries = 256;
	own_lists.flags = BPF_F_NO_COMMON_LRU;
	add(lru, BY_XDP, CALL_ELEMENT, EVICTIONS, "evict_xdp");
	add(lru, BY_TC, CALL_ELEMENT, EVICTIONS, "evict_tc");
	add(lru, BY_KPROBE, CALL_ELEMENT, EVICTIONS, "evict_kp");
	add(lru, BY_SYSCALL, CALL_ELEMENT, EVICTIONS, "evict_sys");
	add(lru, BY_SYSCALL, CALL_BATCH, EVICTIONS, "evict_upb");
	add(per_cpu, BY_XDP, CALL_ELEMENT, EVICTIONS, "evict_plru_xdp");
	add(per_cpu, BY_SYSCALL, CALL_ELEMENT, EVICTIONS, "evict_plru_sys");
	add(own_lists, BY_XDP, CALL_ELEMENT, EVICTIONS, "evict_own_xdp");
	add(own_lists, BY_SYSCALL, CALL_ELEMENT, EVICTIONS, "evict_own_sys");
}

static void sized_rows(void)
{
	static const struct {
		const char *name;
		uint32_t key_size, value_size, most;
	} sizes[] = {
		{"odd_%s_1x1", 1, 1, 200},
		{"odd_%s_13x5", 13, 5, 200},
		{"odd_%s_33x65", 33, 65, 200},
		{"odd_%s_64x127", 64, 127, 200},
		{"odd_%s_65x129", 65, 129, 200},
		{"big_%s_key512", 512, 64, 200},
		{"big_%s_key1000", 1000, 64, 200}, /* longer than a BPF stack: from 5.11 */
		{"big_%s_val4k", 24, 4 << 10, 100},
		{"big_%s_val64k", 24, 64 << 10, 16},
		{"big_%s_val1m", 24, 1 << 20, 5},
		{"big_%s_val4m", 24, (4 << 20) - 4096, 3}, /* an entry must fit into the largest kmalloc, 4 MiB */
	};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct shape shape = {BPF_MAP_TYPE_HASH, sizes[i].key_size, sizes[i].value_size, 8, 0};

		add(shape, BY_SYSCALL, CALL_ELEMENT, FEW_KEYS, sizes[i].name, "sys")->most = sizes[i].most;
		add(shape, BY_XDP, CALL_ELEMENT, FEW_KEYS, sizes[i].name, "xdp")->most = sizes[i].most;
	}
}

static void unseen_rows(void)
{
	struct shape mapped = types[ARRAY].shape, hash = types[HASH].shape;

	mapped.flags = BPF_F_MMAPABLE;
	hash.value_size = POINTER_VALUE_BYTES;
	add(hash, BY_POINTER, CALL_ELEMENT, UPDATES, "ptr_hash");
	add(mapped, BY_MMAP, CALL_ELEMENT, UPDATES, "mmap_array");
}

static void born_rows(void)
{
	add(types[HASH].shape, BY_SYSCALL, CALL_ELEMENT, UPDATES, "born_sys")->born = true;
	add(types[HASH].shape, BY_SYSCALL, CALL_BATCH, UPDATES, "born_upb")->born = true;
	add(types[HASH].shape, BY_XDP, CALL_ELEMENT, UPDATES, "born_xdp")->born = true;
	add(types[LRU].shape, BY_XDP, CALL_ELEMENT, UPDATES, "born_lru")->born = true;
}

struct row *all_rows(uint32_t count, size_t *row_count)
{
	rows = NULL;
	used = room = 0;
	changes = count;
	networking_rows(BY_XDP, "xdp");
	networking_rows(BY_TC, "tc");
	tracing_rows(BY_KPROBE, "kp");
	tracing_rows(BY_PERF_EVENT, "pe");
	tracing_rows(BY_TRACEPOINT, "tp");
	tracing_rows(BY_FENTRY, "fen");
	syscall_rows();
	odd_rows();
	slot_rows();
	refusal_rows();
	eviction_rows();
	sized_rows();
	unseen_rows();
	born_rows();
	*row_count = used;
	return rows;
}
