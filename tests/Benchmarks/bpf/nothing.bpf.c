// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What any program on the tracepoint of the syscall probe costs. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tracepoint/syscalls/sys_exit_bpf")
int nothing(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
