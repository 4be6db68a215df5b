// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/* Maps whose keys and values have all that C has: for the tests that show bytes by their BTF. */
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
	__u32 minor : 4;
	__u32 major : 12;
	__s32 drift : 16;
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
