/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The end of bpf(2): the whole syscall probe, and the kprobe probe's other half. */
#ifndef MAPLOG_SYSCALL_H
#define MAPLOG_SYSCALL_H

/* Of sys_exit_bpf, not of the raw tracepoint of all system calls: on a program that every system call runs, tasks are held up often. */
struct sys_exit {
	__u64 common;
	long nr;
	long result;
};

/* Fills in the map behind a descriptor of the current task; false if there is none. Loads where the kernel lets a program follow the task's pointers, which helpers' calls cost many times over. */
static __always_inline bool target_of_fd(struct target *t, struct task_struct *task, __u32 fd)
{
	struct file *file = 0, **slot;
	struct bpf_map *map;

	if (knows_task()) {
		struct files_struct *files = task->files;
		struct fdtable *table = files ? files->fdt : 0;

		if (!table || fd >= table->max_fds)
			return false;
		slot = table->fd + fd;
	} else {
		struct fdtable *table = BPF_CORE_READ(task, files, fdt);

		if (fd >= BPF_CORE_READ(table, max_fds))
			return false;
		slot = BPF_CORE_READ(table, fd) + fd;
	}
	if (can_cast())
		file = (void *)((struct hlist_head *)bpf_rdonly_cast(slot, bpf_core_type_id_kernel(struct hlist_head)))->first;
	else
		bpf_probe_read_kernel(&file, sizeof(file), slot);
	if (!file)
		return false;
	/* bpf(2) took the descriptor for a map's a moment ago: the look at f_op is for the thread that swapped it since. */
	if (can_cast()) {
		file = bpf_rdonly_cast(file, bpf_core_type_id_kernel(struct file));
		if ((constants.bpf_map_fops && (__u64)file->f_op != constants.bpf_map_fops) || !file->private_data)
			return false;
		map = bpf_rdonly_cast(file->private_data, bpf_core_type_id_kernel(struct bpf_map));
		*t = (struct target)TARGET(map, verdict_of(map->id));
		return true;
	}
	if (constants.bpf_map_fops && (__u64)BPF_CORE_READ(file, f_op) != constants.bpf_map_fops)
		return false;
	map = BPF_CORE_READ(file, private_data);
	if (map)
		target_of(t, map);
	return map;
}

static __always_inline __u8 operation_of(__u32 command)
{
	return command == BPF_MAP_UPDATE_ELEM || command == BPF_MAP_UPDATE_BATCH ? MAPLOG_UPDATE : MAPLOG_DELETE;
}

/* Whether the tracepoint is this map type's hook: under fentry only where the type's own functions cannot be hooked. */
static __always_inline bool is_taken_from_syscall(__u32 type)
{
	__u32 zero = 0;
	struct maplog_config *config = bpf_map_lookup_elem(&maplog_config, &zero);

	return config && type < 32 && (config->syscall_types >> type & 1);
}

/* Fills in map and caller. Returns whether the change is to be logged. */
static __always_inline bool is_change_of_watched(struct change *c, __u32 fd)
{
	if (!target_of_fd(&c->t, c->task, fd) || !is_watched(&c->t) || !is_taken_from_syscall(c->t.type))
		return false;
	return !is_replicator(c->task);
}

static __always_inline int one_by_syscall(struct task_struct *task, __u32 command, void *attr_at)
{
	struct { __u32 map_fd, pad; __u64 key, value, flags; } attr = {};
	struct change c = { .task = task };

	bpf_probe_read_user(&attr, sizeof(attr), attr_at);
	if (!is_change_of_watched(&c, attr.map_fd))
		return 0;
	c.operation = operation_of(command);
	c.origin = MAPLOG_BY_SYSCALL;
	c.count = 1;
	c.key = (void *)attr.key;
	c.key_bytes = c.t.key_size;
	if (c.operation == MAPLOG_UPDATE)
		size_value(&c, false, attr.flags);
	c.value = (void *)attr.value;
	c.value_bytes = c.value_size;
	emit_user(&c);
	return 0;
}

static __always_inline int batch_by_syscall(struct task_struct *task, __u32 command, void *attr_at, long result, const bool looped)
{
	struct batch b = { .c = { .task = task } };
	__u64 flags = 0;
	__u32 fd = 0;

	bpf_probe_read_user(&fd, sizeof(fd), attr_at + __builtin_offsetof(union bpf_attr, batch.map_fd));
	bpf_probe_read_user(&flags, sizeof(flags), attr_at + __builtin_offsetof(union bpf_attr, batch.elem_flags));
	if (!is_change_of_watched(&b.c, fd))
		return 0;
	if (command == BPF_MAP_LOOKUP_AND_DELETE_BATCH && result == -EFAULT) {
		b.c.count = 1;
		count_loss(&b.c, UNREADABLE);
		return 0;
	}
	if (command == BPF_MAP_UPDATE_BATCH)
		size_value(&b.c, false, flags);
	batch_done(&b, operation_of(command), (__u64)attr_at, result, looped);
	return 0;
}

static __always_inline int left_bpf(long result, const bool looped)
{
	struct task_struct *task = current_task();
	struct call_registers call = call_registers(task);
	__u32 command = call.di;
	void *attr_at = (void *)call.si;

	if (!is_map_command(command))
		return 0;
	if (command == BPF_MAP_UPDATE_BATCH || command == BPF_MAP_DELETE_BATCH || command == BPF_MAP_LOOKUP_AND_DELETE_BATCH) {
		/*
		 * -E2BIG is a full map's word, in the middle of a batch: then the kernel has written how many were done before.
		 * Of the whole call it says so only where the attr has more in it than this kernel knows.
		 */
		if (result == -E2BIG && (__u32)call.dx <= bpf_core_type_size(union bpf_attr))
			result = 0;
		return batch_by_syscall(task, command, attr_at, result, looped);
	}
	return result ? 0 : one_by_syscall(task, command, attr_at);
}

SEC("tracepoint/syscalls/sys_exit_bpf") int sys_exit_bpf(struct sys_exit *ctx)
{
	return left_bpf(ctx->result, true);
}

SEC("tracepoint/syscalls/sys_exit_bpf") int unlooped_sys_exit_bpf(struct sys_exit *ctx)
{
	return left_bpf(ctx->result, false);
}

#endif
