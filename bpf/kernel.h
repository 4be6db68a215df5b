/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The few kernel types the hook reads, with the few fields it reads. Offsets come from the
 * running kernel's BTF (CO-RE), so nothing here depends on the kernel it was built on.
 */
#ifndef MAPLOG_KERNEL_H
#define MAPLOG_KERNEL_H

#define __core __attribute__((preserve_access_index))

struct bpf_map {
	enum bpf_map_type map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
	__u32 id;
	char name[16];
} __core;

struct bpf_lru_node {
	__u8 cpu;
} __core;

struct htab_elem {
	struct bpf_lru_node lru_node;
	char key[0];
} __core;

struct file_operations;

struct file {
	const struct file_operations *f_op;
	void *private_data;
} __core;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} __core;

struct files_struct {
	struct fdtable *fdt;
} __core;

/* Any struct whose first field is a number: by its type eight bytes of memory are read where loads follow casts. */
struct timespec64 {
	__s64 tv_sec;
} __core;

/* Any struct whose first field is a pointer: by its type an array of pointers is read where loads follow casts. */
struct hlist_head {
	struct hlist_node *first;
} __core;

struct thread_info {
	__u32 cpu;	/* from 5.16 */
} __core;

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	int tgid;
	char comm[16];
	struct task_struct *group_leader;
	struct files_struct *files;
	__u64 start_boottime;
} __core;

/* x86-64's; the probes that need registers are built for it alone. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

/* 6.2 to 6.14 keep the preemption count here, all others in __preempt_count. */
struct pcpu_hot {
	int preempt_count;
} __core;

/* By BTF, which makes it one call to read; 5.10's BTF has none of the per-CPU variables, and there it is null. */
extern const int bpf_prog_active __ksym __weak;

/* From 6.2, as is this number of a helper's: makes of an address a pointer that loads follow, by nothing but a move. */
extern void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak;

enum bpf_func_id___cast { BPF_FUNC_cgrp_storage_get___cast = 210 };

#define can_cast() bpf_core_enum_value_exists(enum bpf_func_id___cast, BPF_FUNC_cgrp_storage_get___cast)

/* From 5.11 a task that the verifier knows, whose fields cost a load each; before, an address to read from. */
#define knows_task() bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

static __always_inline struct task_struct *current_task(void)
{
	return knows_task() ? bpf_get_current_task_btf() : (void *)bpf_get_current_task();
}

#define NR_BPF_X86_64	321
#define THREAD_SIZE	16384	/* x86-64; read only where bpf_task_pt_regs is missing, before 5.15 */

#endif
