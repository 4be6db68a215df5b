// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The walk: finds the entries of a map that changed since the last walk, however they were changed.
 *
 * A program may write through the pointer that bpf_map_lookup_elem() returned. No hook sees such a write. The walk
 * reads the elements of a map one after the other, as they lie in memory, and compares a digest of each entry with
 * the digest that it saw last (walk_seen). The entries that differ go into walk_found, which the daemon has mapped.
 *
 *   walk_find  where a map's elements lie: an iterator over all maps of the kernel, which holds none of them
 *   walk       some elements of one map, whose descriptor the daemon holds meanwhile
 *
 * Only preallocated hash and LRU hash maps and arrays lie in memory like this. The offsets in the kernel's structures
 * come from its BTF, and the daemon tries them on a map of its own before it believes what a walk says.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "walk.h"

#define __core		__attribute__((preserve_access_index))
#define POISON		0xdead000000000122ULL	/* LIST_POISON2: the element was taken out of its bucket */
#define STOP		1

struct bpf_map {
	enum bpf_map_type map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 id;
} __core;

struct hlist_nulls_node {
	struct hlist_nulls_node *next, **pprev;
} __core;

enum bpf_lru_list_type {
	BPF_LRU_LIST_T_ACTIVE,
	BPF_LRU_LIST_T_INACTIVE,
	BPF_LRU_LIST_T_FREE,
	BPF_LRU_LOCAL_LIST_T_FREE,
	BPF_LRU_LOCAL_LIST_T_PENDING,
};

struct bpf_lru_node {
	__u8 type;
} __core;

struct htab_elem {
	struct hlist_nulls_node hash_node;
	struct bpf_lru_node lru_node;
	char key[0];
} __core;

struct bpf_htab {
	struct bpf_map map;
	void *elems;
	__u32 elem_size;
} __core;

struct bpf_array {
	struct bpf_map map;
	__u32 elem_size;
	char value[0];
} __core;

struct bpf_iter__bpf_map {
	struct bpf_map *map;
} __core;

struct timespec64 {
	__s64 tv_sec;
} __core;

extern void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak;

const volatile struct walk_shape shape;


/* walk */
struct walk_call run;

/* The digest of each element's entry, as the last walk saw it; 0: none. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} walk_seen SEC(".maps");

/* An entry: the number of its element, its key, its value, each in whole words. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
} walk_found SEC(".maps");

/* The daemon writes the id of a map, walk_find the rest. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_place);
} walk_places SEC(".maps");

SEC("iter/bpf_map")
int walk_find(struct bpf_iter__bpf_map *ctx)
{
	struct bpf_map *map = ctx->map;
	struct walk_place *answer;
	__u32 zero = 0;

	answer = bpf_map_lookup_elem(&walk_places, &zero);
	if (!map || !answer || map->id != answer->id)
		return 0;
	answer->type = map->map_type;
	answer->key_size = map->key_size;
	answer->value_size = map->value_size;
	answer->max_entries = map->max_entries;
	if (answer->type == BPF_MAP_TYPE_ARRAY) {
		struct bpf_array *array = (void *)map;

		answer->element_size = BPF_CORE_READ(array, elem_size);
		answer->elements = (__u64)map + bpf_core_field_offset(struct bpf_array, value);
	} else {
		struct bpf_htab *htab = (void *)map;

		answer->element_size = BPF_CORE_READ(htab, elem_size);
		answer->elements = (__u64)BPF_CORE_READ(htab, elems);
	}
	return 0;
}

#define PPREV_AT	(bpf_core_field_offset(struct htab_elem, hash_node) + bpf_core_field_offset(struct hlist_nulls_node, pprev))
#define KEY_AT		bpf_core_field_offset(struct htab_elem, key)
#define LRU_TYPE_AT	(bpf_core_field_offset(struct htab_elem, lru_node) + bpf_core_field_offset(struct bpf_lru_node, type))
#define LRU_TYPE(name)	bpf_core_enum_value(enum bpf_lru_list_type, name)

static __always_inline __u64 load(__u64 address)
{
	struct timespec64 *word = bpf_rdonly_cast((void *)address, bpf_core_type_id_kernel(struct timespec64));

	return word->tv_sec;
}

static __always_inline __u64 mix(__u64 h, __u64 word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

/*
 * An element in a bucket points back to the bucket's head or to the first word of the element before it. A free one
 * has zero or poison there, or the second word of the next free element.
 */
static __always_inline bool is_live(__u64 pprev)
{
	__u64 offset = pprev - run.elements;

	if (!pprev || pprev == POISON)
		return false;
	return offset >= (__u64)shape.elements * shape.element_size || offset % shape.element_size == 0;
}

/* The digest of an entry that lies in memory; into: null, or where the entry's words go. */
static __always_inline __u64 digest_in_place(__u64 key, __u64 *into)
{
	__u64 h = 1, word;

	for (__u32 i = 0; i < shape.key_words && i < WALK_MAX_WORDS; i++) {
		word = load(key + 8 * i);
		if (i == shape.key_words - 1)
			word &= shape.key_mask;
		if (into)
			into[1 + i] = word;
		h = mix(h, word);
	}
	for (__u32 i = 0; i < shape.value_words && i < WALK_MAX_WORDS; i++) {
		__u64 mask = shape.value_mask[i];

		if (!mask && !into)
			continue;
		word = load(key + shape.value_at + 8 * i);
		if (into)
			into[1 + shape.key_words + i] = word;
		if (mask)
			h = mix(h, word & mask);
	}
	return h | 1;
}

/* The digest of an entry that was copied. */
static __always_inline __u64 digest_of_copy(__u64 *words)
{
	__u64 h = 1, word;

	for (__u32 i = 0; i < shape.key_words && i < WALK_MAX_WORDS; i++) {
		word = words[1 + i];
		if (i == shape.key_words - 1)
			word &= shape.key_mask;
		words[1 + i] = word;
		h = mix(h, word);
	}
	for (__u32 i = 0; i < shape.value_words && i < WALK_MAX_WORDS; i++) {
		__u64 mask = shape.value_mask[i];

		if (mask)
			h = mix(h, words[1 + shape.key_words + i] & mask);
	}
	return h | 1;
}

/* Copies key and value of a hash map's element, or an array's value, behind the first word. */
static __always_inline long copy(__u64 *words, __u64 key)
{
	return bpf_probe_read_kernel(words + 1, 8 * (shape.key_words + shape.value_words), (void *)key);
}

static __always_inline long word_at(__u64 address, __u64 *word)
{
	if (shape.has_cast) {
		*word = load(address);
		return 0;
	}
	return bpf_probe_read_kernel(word, sizeof(*word), (void *)address);
}

/*
 * An LRU element that a batch deleted keeps a link of the batch where the back link was, and this link looks like one of
 * a live element. The list that the element is in tells the two apart.
 */
static __always_inline bool is_free_lru(__u64 element)
{
	__u64 word, type;

	if (word_at(element + (LRU_TYPE_AT & ~7UL), &word))
		return true;
	type = word >> (LRU_TYPE_AT & 7) * 8 & 0xff;
	return type == LRU_TYPE(BPF_LRU_LIST_T_FREE) || type == LRU_TYPE(BPF_LRU_LOCAL_LIST_T_FREE);
}

/* 1: the element holds an entry; 0: it does not; below 0: it could not be read. */
static __always_inline int holds_entry(__u64 element)
{
	__u64 pprev;

	if (word_at(element + PPREV_AT, &pprev))
		return -1;
	return is_live(pprev) && !(shape.is_lru && is_free_lru(element));
}

static long look_at(__u32 i, void *unused)
{
	__u32 at = run.from + i, slot = run.found;
	__u64 element = run.elements + (__u64)at * shape.element_size, key = element, digest, again, *seen, *words;
	int holds;

	run.next = at;
	words = bpf_map_lookup_elem(&walk_found, &slot);
	seen = bpf_map_lookup_elem(&walk_seen, &at);
	if (!words || !seen)
		return STOP; /* no room: the next call goes on here */
	run.next = at + 1;
	if (shape.is_hash) {
		holds = holds_entry(element);
		if (holds < 0) {
			run.unreadable++;
			return 0;
		}
		if (!holds) {
			if (*seen)
				*seen = 0;
			return 0;
		}
		key += KEY_AT;
	}
	run.live++;
	if (shape.has_cast) {
		digest = digest_in_place(key, NULL);
		if (digest == *seen && !run.all)
			return 0;
		again = digest_in_place(key, words);
	} else {
		if (copy(words, key)) {
			run.unreadable++;
			return 0;
		}
		digest = digest_of_copy(words);
		if (digest == *seen && !run.all)
			return 0;
		if (copy(words, key)) {
			run.unreadable++;
			return 0;
		}
		again = digest_of_copy(words);
	}
	/* An entry that is read twice alike, and whose element was neither freed nor given to another key meanwhile. */
	if (digest != again || (shape.is_hash && holds_entry(element) <= 0)) {
		run.moving++;
		return 0;
	}
	words[0] = at;
	*seen = digest;
	run.found++;
	return 0;
}

SEC("syscall")
int walk(struct walk_call *call)
{
	run = *call;
	run.next = run.from;
	run.live = 0;
	run.moving = 0;
	run.unreadable = 0;
	bpf_loop(run.count, look_at, NULL, 0);
	*call = run;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
