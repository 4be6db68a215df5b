/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who wrote: a program or bpf(2). */
#ifndef MAPLOG_WHO_H
#define MAPLOG_WHO_H

/* This CPU's copy of a per-CPU int. */
static __always_inline int on_this_cpu(__u64 variable)
{
	unsigned long base = 0;
	int value = 0;

	bpf_probe_read_kernel(&base, sizeof(base), (void *)(constants.per_cpu_offset + 8 * bpf_get_smp_processor_id()));
	bpf_probe_read_kernel(&value, sizeof(value), (void *)(base + variable));
	return value;
}

static __always_inline int preempt_count(void)
{
	if (bpf_core_field_exists(struct pcpu_hot, preempt_count))
		return on_this_cpu(constants.pcpu_hot + bpf_core_field_offset(struct pcpu_hot, preempt_count));
	return on_this_cpu(constants.preempt_count);
}

/* Not in an NMI, a hardirq or a softirq (bits 20-23, 16-19 and 8): then `current` is who acts. */
static __always_inline bool in_task(void)
{
	return !(preempt_count() & 0x00ff0100);
}

/* What of the registers with which the current task entered the kernel says which system call it made. */
struct call_registers {
	unsigned long dx, si, di, orig_ax;	/* in their order in struct pt_regs */
};

static __always_inline struct call_registers call_registers(struct task_struct *task)
{
	struct call_registers call = {};

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) {
		struct pt_regs *regs = (void *)bpf_task_pt_regs(task);

		return (struct call_registers){ regs->dx, regs->si, regs->di, regs->orig_ax };
	}

	struct pt_regs *regs = BPF_CORE_READ(task, stack) + THREAD_SIZE - sizeof(struct pt_regs);

	bpf_probe_read_kernel(&call, sizeof(call), &regs->dx);
	return call;
}

static __always_inline bool is_map_command(__u32 command)
{
	return command == BPF_MAP_UPDATE_ELEM || command == BPF_MAP_DELETE_ELEM ||
	       command == BPF_MAP_LOOKUP_AND_DELETE_ELEM || command == BPF_MAP_LOOKUP_AND_DELETE_BATCH ||
	       command == BPF_MAP_UPDATE_BATCH || command == BPF_MAP_DELETE_BATCH;
}

/*
 * bpf(2) raises bpf_prog_active around the operation, and so does the kernel around a tracing
 * program; a networking program leaves it alone, and is known by that at once. The task's registers
 * tell the others apart.
 */
static __always_inline __u8 who_wrote(void)
{
	struct call_registers call;

	if (&bpf_prog_active && !*(const int *)bpf_this_cpu_ptr(&bpf_prog_active))
		return MAPLOG_BY_PROGRAM;
	if (!in_task())
		return MAPLOG_BY_PROGRAM;
	call = call_registers(current_task());
	return call.orig_ax == NR_BPF_X86_64 && is_map_command(call.di) ? MAPLOG_BY_SYSCALL : MAPLOG_BY_PROGRAM;
}

#endif
