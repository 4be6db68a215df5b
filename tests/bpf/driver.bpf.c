// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The programs of mapdriver: one body, run by every kind of program that may write a map.
 *
 * Each run of a program makes the next change of a script that user space has laid out: the script
 * says which key and which value of two arrays, so that keys and values of any size come from
 * another map's value and never pass the 512 bytes of BPF stack. Map sizes are set before loading,
 * and `target` is replaced by the map under test. No vmlinux.h: everything here loads on 5.10.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../Driver/step.h"

#define EBUSY 16
#define ENOMEM 12
#define EDEADLK 35
#define ETIMEDOUT 110

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} target SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, 4);
	__uint(value_size, sizeof(struct step));
	__uint(max_entries, 1);
} drv_script SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} drv_keys SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} drv_values SEC(".maps");

/* The only global: user space maps it at offset 0 of .bss. */
struct progress progress;

/*
 * Locks that a sampling interrupt found taken, and elements that a CPU's free list was just out of:
 * nothing happened, and the same step is taken again at the next run.
 */
static __always_inline int passing(long result)
{
	return result == -EBUSY || result == -ENOMEM || result == -EDEADLK || result == -ETIMEDOUT;
}

static __always_inline int next_step(void)
{
	__u32 index = progress.next;
	struct step *step;
	void *key, *value;
	long result;

	if (index >= progress.limit)
		return 0;
	step = bpf_map_lookup_elem(&drv_script, &index);
	if (!step)
		return 0;
	key = bpf_map_lookup_elem(&drv_keys, &step->key);
	if (!key)
		return 0;
	if (step->kind == STEP_PUT) {
		value = bpf_map_lookup_elem(&drv_values, &step->value);
		if (!value)
			return 0;
		result = bpf_map_update_elem(&target, key, value, step->flags);
	} else {
		result = bpf_map_delete_elem(&target, key);
	}
	if (passing(result)) {
		progress.retries++;
		return 0;
	}
	step->result = result;
	progress.next = index + 1;
	return 0;
}

/*
 * The trigger is getpgid(2): it changes nothing, is hardly ever called, and its function is in the
 * BTF of every kernel (getppid's is not). Other threads' calls must not take steps out of turn.
 */
static __always_inline int next_step_of_my_thread(void)
{
	if ((__u32)bpf_get_current_pid_tgid() != progress.tid)
		return 0;
	return next_step();
}

SEC("xdp")
int xdp_step(struct xdp_md *packet)
{
	next_step();
	return XDP_DROP;
}

SEC("tc")
int tc_step(struct __sk_buff *packet)
{
	next_step();
	return 0;
}

SEC("ksyscall/getpgid")
int kprobe_step(void *regs)
{
	return next_step_of_my_thread();
}

SEC("tracepoint/syscalls/sys_enter_getpgid")
int tracepoint_step(void *call)
{
	return next_step_of_my_thread();
}

#if defined(__TARGET_ARCH_arm64)
SEC("fentry/__arm64_sys_getpgid")
#else
SEC("fentry/__x64_sys_getpgid")
#endif
int fentry_step(void *arguments)
{
	return next_step_of_my_thread();
}

SEC("perf_event")
int perf_event_step(void *sample)
{
	return next_step();
}

/* A write that no hook on a map operation can see: through the pointer that a lookup gave. */
SEC("xdp")
int pointer_step(struct xdp_md *packet)
{
	__u32 index = progress.next;
	struct step *step;
	__u64 *from, *to;
	void *key;

	if (index >= progress.limit)
		return XDP_DROP;
	step = bpf_map_lookup_elem(&drv_script, &index);
	if (!step)
		return XDP_DROP;
	key = bpf_map_lookup_elem(&drv_keys, &step->key);
	from = bpf_map_lookup_elem(&drv_values, &step->value);
	if (!key || !from)
		return XDP_DROP;
	to = bpf_map_lookup_elem(&target, key);
	if (to) {
#pragma unroll
		for (int word = 0; word < POINTER_VALUE_BYTES / 8; word++)
			to[word] = from[word];
	}
	step->result = to ? 0 : -2;
	progress.next = index + 1;
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
