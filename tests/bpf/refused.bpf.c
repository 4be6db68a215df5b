// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)
/* Programs that no verifier lets pass: the tests read what the error says. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int reads_beyond(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;

	return data[10000]; /* without looking at data_end */
}

SEC("fentry/no_such_function_anywhere")
int hooks_nothing(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
