// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/*
 * Maps of which bpftool and maplog show bytes alike, by their BTF. (Bit fields and anonymous
 * members are left out: bpftool shows these in hex and without a name.)
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum state { CLOSED, OPENING = 3, OPEN = 7, BROKEN = -1 };

typedef __u16 port_t;

struct flow {
	__u32 source;
	__u32 target;
	port_t ports[2];
	__u8 protocol;
	__u8 rest[3];
};

struct session {
	enum state state;
	bool secure;
	char name[11];
	__u64 bytes;
	__s32 balance;
	__u16 minor;
	__s16 drift;
	void *owner;
	struct {
		__s8 x;
		const volatile __s16 y;
	} places[2];
	unsigned __int128 wide;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct flow);
	__type(value, struct session);
} sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct flow);
} per_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__uint(key_size, 4);
	__uint(value_size, 8);
} untyped SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
