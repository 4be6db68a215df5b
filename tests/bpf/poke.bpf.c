// SPDX-License-Identifier: GPL-2.0
/* A connection table whose entries are made by helper and changed through the pointer that a lookup returned, as real ones are. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct key { __u64 number, more[2]; };
struct value { __u64 state, packets, last_seen, more[5]; };
struct call { __u32 from, count, step, state, packets; };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct key);
	__type(value, struct value);
} poked SEC(".maps");

struct call now;

static long make_one(__u32 i, void *unused)
{
	__u64 number = now.from + i * now.step;
	struct key key = { number, { number * 77, 5 } };
	struct value value = { .state = now.state, .packets = now.packets, .last_seen = number };

	bpf_map_update_elem(&poked, &key, &value, BPF_ANY);
	return 0;
}

static long poke_one(__u32 i, void *unused)
{
	__u64 number = now.from + i * now.step;
	struct key key = { number, { number * 77, 5 } };
	struct value *value = bpf_map_lookup_elem(&poked, &key);

	if (value) {
		value->state = now.state;
		value->packets += now.packets;
	}
	return 0;
}

static long drop_one(__u32 i, void *unused)
{
	__u64 number = now.from + i * now.step;
	struct key key = { number, { number * 77, 5 } };

	bpf_map_delete_elem(&poked, &key);
	return 0;
}

SEC("syscall")
int make(struct call *call)
{
	now = *call;
	bpf_loop(now.count, make_one, 0, 0);
	return 0;
}

SEC("syscall")
int poke(struct call *call)
{
	now = *call;
	bpf_loop(now.count, poke_one, 0, 0);
	return 0;
}

SEC("syscall")
int drop(struct call *call)
{
	now = *call;
	bpf_loop(now.count, drop_one, 0, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
