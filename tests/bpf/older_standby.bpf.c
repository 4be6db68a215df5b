// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Stands for the program of another build of maplog, whose fault is that it refuses everything. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("sk_reuseport/migrate")
int standby_migrate(struct sk_reuseport_md *ctx)
{
	return SK_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
