// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/* One program for each way to hook a kernel function; the tests say which function, and count the runs. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} runs SEC(".maps");

static __always_inline int ran(__u32 slot)
{
	__u64 *value = bpf_map_lookup_elem(&runs, &slot);

	if (value)
		__sync_fetch_and_add(value, 1);
	return 0;
}

SEC("kprobe/no_function_yet")
int at_entry(void *ctx)
{
	return ran(0);
}

SEC("kretprobe/no_function_yet")
int at_return(void *ctx)
{
	return ran(1);
}

SEC("fentry/no_function_yet")
int fentry_program(void *ctx)
{
	return ran(2);
}

SEC("fexit/no_function_yet")
int fexit_program(void *ctx)
{
	return ran(3);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
