// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/* Fills a ring on command, for the tests of the kernel layer: run by BPF_PROG_TEST_RUN. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The packet a test sends. */
struct command {
	__u32 length;	/* bytes of each record, at most sizeof(scratch.bytes) */
	__u32 discard;	/* every so many-th record is discarded; 0: none */
	__u8 rest[56];	/* a packet has 64 bytes at least */
};

struct scratch {
	__u64 sequence;
	__u8 bytes[2040];
};

/* Set by the test before loading. */
const volatile __u64 first_sequence = 1;
const volatile __u32 marker = 7;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

/* Returns 2 (XDP_PASS) when the record is in the ring, 1 (XDP_DROP) when the ring was full. */
SEC("xdp")
int fill(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct command *command = data;
	struct scratch *scratch;
	__u32 zero = 0, length;
	void *given_up;

	if ((void *)(command + 1) > end)
		return XDP_ABORTED;
	scratch = bpf_map_lookup_elem(&state, &zero);
	if (!scratch)
		return XDP_ABORTED;
	if (!scratch->sequence)
		scratch->sequence = first_sequence;
	if (command->discard && scratch->sequence % command->discard == 0) {
		given_up = bpf_ringbuf_reserve(&ring, 40, 0);
		if (!given_up)
			return XDP_DROP;
		bpf_ringbuf_discard(given_up, BPF_RB_NO_WAKEUP);
		scratch->sequence++;
		return XDP_PASS;
	}
	length = command->length;
	if (length < sizeof(scratch->sequence) || length > sizeof(*scratch))
		return XDP_ABORTED;
	if (bpf_ringbuf_output(&ring, scratch, length, BPF_RB_NO_WAKEUP))
		return XDP_DROP;
	scratch->sequence++;
	return XDP_PASS;
}

/* Counts its runs under the marker; hooked where any kernel lets it. */
SEC("tracepoint/syscalls/sys_enter_getpgid")
int count(void *ctx)
{
	__u32 key = marker;
	__u64 one = 1, *value = bpf_map_lookup_elem(&counts, &key);

	if (value)
		__sync_fetch_and_add(value, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return 0;
}

SEC("raw_tp/sys_enter")
int raw(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
