// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The hook: every completed change of a watched map becomes a record in the ring.
 *
 * Three probes, of which the daemon loads one:
 *   fentry   fexit on the map operations; sees everything but writes through pointers
 *   kprobe   kprobes on the map operations for networking programs, the bpf(2) tracepoint for
 *            user space: the kernel skips kprobe programs inside bpf(2), so neither sees the
 *            other's. What tracing programs write is not seen.
 *   syscall  the bpf(2) tracepoint alone
 *
 * Programs are named by what they hook; the daemon loads those whose function the kernel has.
 */
#include <stdbool.h>
#include <asm/errno.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "kernel.h"
#include "watch.h"
#include "emit.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* `looped` programs walk a batch with bpf_loop; their `unlooped_` doubles are for kernels before 5.17. */

#define IS_SET(flags, flag) (((flags) & (flag)) != 0)

/* Later kernels' flags of a per-CPU update: the value is of one CPU (its number in the high half), or for all. */
#define UPDATE_ONE_CPU 8
#define UPDATE_ALL_CPUS 16

/* ---- who is it ---- */

/* This CPU's copy of a per-CPU int. */
static __always_inline int on_this_cpu(const void *variable)
{
	unsigned long base = 0;
	int value = 0;

	bpf_probe_read_kernel(&base, sizeof(base), &__per_cpu_offset + 8 * bpf_get_smp_processor_id());
	bpf_probe_read_kernel(&value, sizeof(value), (void *)(base + (unsigned long)variable));
	return value;
}

static __always_inline int preempt_count(void)
{
	if (bpf_core_field_exists(struct pcpu_hot, preempt_count))
		return on_this_cpu(&pcpu_hot + bpf_core_field_offset(struct pcpu_hot, preempt_count));
	return on_this_cpu(&__preempt_count);
}

/* Not in an NMI, a hardirq or a softirq (bits 20-23, 16-19 and 8): then `current` is who acts. */
static __always_inline bool in_task(void)
{
	return !(preempt_count() & 0x00ff0100);
}

/* The registers with which the current task entered the kernel. */
static __always_inline struct pt_regs *user_regs(void)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, stack) + THREAD_SIZE - sizeof(struct pt_regs);
}

static __always_inline bool is_map_command(__u32 command)
{
	return command == BPF_MAP_UPDATE_ELEM || command == BPF_MAP_DELETE_ELEM ||
	       command == BPF_MAP_LOOKUP_AND_DELETE_ELEM || command == BPF_MAP_LOOKUP_AND_DELETE_BATCH ||
	       command == BPF_MAP_UPDATE_BATCH || command == BPF_MAP_DELETE_BATCH;
}

/*
 * bpf(2) raises bpf_prog_active around the operation, and so does the kernel around a tracing
 * program; a networking program leaves it alone. The task's registers tell the first two apart.
 */
static __always_inline __u8 who_wrote(void)
{
	unsigned long regs[2] = {};
	struct pt_regs *user;

	if (!on_this_cpu(&bpf_prog_active))
		return MAPLOG_BY_PROGRAM;
	if (!in_task())
		return MAPLOG_BY_PROGRAM;
	user = user_regs();
	bpf_probe_read_kernel(&regs[0], sizeof(regs[0]), &user->orig_ax);
	bpf_probe_read_kernel(&regs[1], sizeof(regs[1]), &user->di);
	return regs[0] == NR_BPF_X86_64 && is_map_command(regs[1]) ? MAPLOG_BY_SYSCALL : MAPLOG_BY_PROGRAM;
}

/* ---- one change, from a hook on a map operation ---- */

/* Fills in the map from a pointer that the verifier does not know, or (fexit, faster) does. */
static __always_inline void target_of(struct target *t, struct bpf_map *map)
{
	t->map = map;
	t->id = BPF_CORE_READ(map, id);
	t->type = BPF_CORE_READ(map, map_type);
	t->key_size = BPF_CORE_READ(map, key_size);
	t->value_size = BPF_CORE_READ(map, value_size);
}

#define TARGET(m) { .map = (m), .id = (m)->id, .type = (m)->map_type, \
		    .key_size = (m)->key_size, .value_size = (m)->value_size }

static __always_inline void change(struct change *c, __u8 operation, __u8 origin, const void *key, const void *value)
{
	c->operation = operation;
	c->origin = origin;
	c->tgid = bpf_get_current_pid_tgid() >> 32;
	if (origin == MAPLOG_BY_SYSCALL && is_replicator(c->tgid))
		return;
	c->key = key;
	c->key_bytes = c->t.key_size;
	c->value = value;
	c->value_bytes = c->value_size;
	c->count = 1;
	emit(c);
}

/* The value of an update: whole, or of a per-CPU map one CPU's when a program writes. */
static __always_inline void size_value(struct change *c, bool one_cpu, __u64 update_flags)
{
	c->value_size = c->t.value_size;
	if (!is_per_cpu(c->t.type))
		return;
	if (one_cpu) {
		c->flags = MAPLOG_ONE_CPU;
		c->value_cpu = bpf_get_smp_processor_id();
	} else if (IS_SET(update_flags, UPDATE_ONE_CPU)) {
		c->flags = MAPLOG_ONE_CPU;
		c->value_cpu = update_flags >> 32;
	} else if (IS_SET(update_flags, UPDATE_ALL_CPUS)) {
		c->flags = MAPLOG_ALL_CPUS;
	} else {
		c->value_size = whole_value(&c->t);
	}
}

static __always_inline int updated(struct bpf_map *map, const void *key, const void *value, __u64 flags, bool one_cpu, int result)
{
	struct change c = { .t = TARGET(map) };

	if (result || !is_watched(&c.t))
		return 0;
	size_value(&c, one_cpu, flags);
	change(&c, MAPLOG_UPDATE, who_wrote(), key, value);
	return 0;
}

static __always_inline int deleted(struct bpf_map *map, const void *key, int result)
{
	struct change c = { .t = TARGET(map) };

	if (result || !is_watched(&c.t))
		return 0;
	change(&c, MAPLOG_DELETE, who_wrote(), key, 0);
	return 0;
}

static __always_inline const void *key_of_node(void *node)
{
	return node - bpf_core_field_offset(struct htab_elem, lru_node) + bpf_core_field_offset(struct htab_elem, key);
}

/* ---- fentry ---- */

/* `one_cpu`: the function writes the running CPU's value of a per-CPU map. */
#define FEXIT_UPDATE(function, one_cpu)							\
SEC("fexit/" #function) int fexit_##function(__u64 *ctx)				\
{											\
	return updated((struct bpf_map *)ctx[0], (void *)ctx[1], (void *)ctx[2], ctx[3], one_cpu, ctx[4]);	\
}
#define FEXIT_DELETE(function)								\
SEC("fexit/" #function) int fexit_##function(__u64 *ctx)				\
{											\
	return deleted((struct bpf_map *)ctx[0], (void *)ctx[1], ctx[2]);		\
}
#define FEXIT_TAKE(function)								\
SEC("fexit/" #function) int fexit_##function(__u64 *ctx)				\
{											\
	return deleted((struct bpf_map *)ctx[0], (void *)ctx[1], ctx[4]);		\
}

FEXIT_UPDATE(htab_map_update_elem, false)
FEXIT_UPDATE(htab_lru_map_update_elem, false)
FEXIT_UPDATE(htab_percpu_map_update_elem, true)
FEXIT_UPDATE(htab_lru_percpu_map_update_elem, true)
FEXIT_UPDATE(bpf_percpu_hash_update, false)
FEXIT_UPDATE(bpf_percpu_array_update, false)
FEXIT_UPDATE(array_map_update_elem, true)
FEXIT_UPDATE(trie_update_elem, false)
FEXIT_DELETE(htab_map_delete_elem)
FEXIT_DELETE(htab_lru_map_delete_elem)
FEXIT_DELETE(trie_delete_elem)
FEXIT_TAKE(htab_map_lookup_and_delete_elem)
FEXIT_TAKE(htab_lru_map_lookup_and_delete_elem)
FEXIT_TAKE(htab_percpu_map_lookup_and_delete_elem)
FEXIT_TAKE(htab_lru_percpu_map_lookup_and_delete_elem)

SEC("fexit/htab_lru_map_delete_node") int fexit_htab_lru_map_delete_node(__u64 *ctx)
{
	struct change c = {};

	if (!(ctx[2] & 0xff))
		return 0;
	target_of(&c.t, (void *)ctx[0]);	/* a void * there: struct bpf_htab, which begins with its map */
	if (is_watched(&c.t))
		change(&c, MAPLOG_EVICT, MAPLOG_BY_EVICTION, key_of_node((void *)ctx[1]), 0);
	return 0;
}

/* ---- a batch, from the memory of the process that called bpf(2) ---- */

static __always_inline void batch_done(struct batch *b, __u8 operation, __u64 attr_at, long result, const bool looped)
{
	union bpf_attr attr = {};

	if (bpf_probe_read_user(&attr.batch, sizeof(attr.batch), (void *)attr_at)) {
		b->c.count = 1;
		count_loss(&b->c, UNREADABLE);
		return;
	}
	b->c.operation = operation;
	b->c.origin = MAPLOG_BY_SYSCALL;
	b->c.key = (void *)attr.batch.keys;
	b->c.value = (void *)attr.batch.values;
	b->left = attr.batch.count;
	/* The kernel writes back how many were done; where it refused the call it wrote nothing. -ENOENT ends a take. */
	if (result < 0 && !(operation == MAPLOG_DELETE && result == -ENOENT))
		b->c.flags |= MAPLOG_UNSURE;
	if (looped)
		emit_looped(b);
	else
		emit_unlooped(b);
}

/* lookup_and_delete_batch deletes under the bucket's lock without any operation of the map being called. */
static __always_inline int taken(struct bpf_map *map, __u64 attr_at, int result, const bool looped)
{
	struct batch b = { .c = { .t = TARGET(map) } };

	if (!is_watched(&b.c.t))
		return 0;
	b.c.tgid = bpf_get_current_pid_tgid() >> 32;
	if (is_replicator(b.c.tgid))
		return 0;
	if (result == -EFAULT) {	/* what it had deleted and could not hand over, nobody knows */
		b.c.count = 1;
		count_loss(&b.c, UNREADABLE);
		return 0;
	}
	batch_done(&b, MAPLOG_DELETE, attr_at, result, looped);
	return 0;
}

#define FEXIT_TAKE_BATCH(function)							\
SEC("fexit/" #function) int fexit_##function(__u64 *ctx)				\
{											\
	return taken((struct bpf_map *)ctx[0], ctx[2], ctx[3], true);			\
}											\
SEC("fexit/" #function) int unlooped_##function(__u64 *ctx)				\
{											\
	return taken((struct bpf_map *)ctx[0], ctx[2], ctx[3], false);			\
}

FEXIT_TAKE_BATCH(htab_map_lookup_and_delete_batch)
FEXIT_TAKE_BATCH(htab_lru_map_lookup_and_delete_batch)
FEXIT_TAKE_BATCH(htab_percpu_map_lookup_and_delete_batch)
FEXIT_TAKE_BATCH(htab_lru_percpu_map_lookup_and_delete_batch)

/* ---- kprobe ---- */

/*
 * A kprobe sees the arguments, a kretprobe the result; in between the arguments wait here,
 * found again by the stack pointer. Calls nest (a softirq in a task) and, on a preemptible
 * kernel, interleave, hence several frames per CPU.
 */
#define FRAMES 8

struct frames {
	struct frame {
		__u64 stack;	/* 0: free */
		__u64 map, key, value, flags;
	} frame[FRAMES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct frames);
} maplog_frames SEC(".maps");

static __noinline int entered(struct pt_regs *ctx)
{
	__u32 zero = 0;
	struct frames *f = bpf_map_lookup_elem(&maplog_frames, &zero);
	struct change c = {};

	target_of(&c.t, (void *)ctx->di);
	if (!f || !is_watched(&c.t))
		return 0;
	for (int i = 0; i < FRAMES; i++) {
		/* A frame deeper in this stack that was never taken out belongs to a return that was skipped. */
		if (f->frame[i].stack && f->frame[i].stack != ctx->sp)
			continue;
		f->frame[i].map = ctx->di;
		f->frame[i].key = ctx->si;
		f->frame[i].value = ctx->dx;
		f->frame[i].flags = ctx->cx;
		f->frame[i].stack = ctx->sp;
		return 0;
	}
	c.count = 1;
	count_loss(&c, TOO_BIG);
	return 0;
}

static __noinline int take_frame(struct frame *out, __u64 stack)
{
	__u32 zero = 0;
	struct frames *f = bpf_map_lookup_elem(&maplog_frames, &zero);

	if (!f)
		return 0;
	for (int i = 0; i < FRAMES; i++) {
		/* On return the stack pointer stands above the return address, by how much differs between kernels. */
		if (f->frame[i].stack && stack - f->frame[i].stack <= 16) {
			*out = f->frame[i];
			f->frame[i].stack = 0;
			return 1;
		}
	}
	return 0;
}

#define KPROBE_ENTRY(function) \
SEC("kprobe/" #function) int kprobe_##function(struct pt_regs *ctx) { return entered(ctx); }

#define KPROBE_UPDATE(function, one_cpu)						\
KPROBE_ENTRY(function)									\
SEC("kretprobe/" #function) int kretprobe_##function(struct pt_regs *ctx)		\
{											\
	struct change c = {};								\
	struct frame f = {};								\
											\
	if (!take_frame(&f, ctx->sp) || (int)ctx->ax)					\
		return 0;								\
	target_of(&c.t, (void *)f.map);							\
	if (!is_watched(&c.t))								\
		return 0;								\
	size_value(&c, one_cpu, f.flags);						\
	change(&c, MAPLOG_UPDATE, MAPLOG_BY_PROGRAM, (void *)f.key, (void *)f.value);	\
	return 0;									\
}
#define KPROBE_DELETE(function)								\
KPROBE_ENTRY(function)									\
SEC("kretprobe/" #function) int kretprobe_##function(struct pt_regs *ctx)		\
{											\
	struct change c = {};								\
	struct frame f = {};								\
											\
	if (!take_frame(&f, ctx->sp) || (int)ctx->ax)					\
		return 0;								\
	target_of(&c.t, (void *)f.map);							\
	if (is_watched(&c.t))								\
		change(&c, MAPLOG_DELETE, MAPLOG_BY_PROGRAM, (void *)f.key, 0);		\
	return 0;									\
}

KPROBE_UPDATE(htab_map_update_elem, false)
KPROBE_UPDATE(htab_lru_map_update_elem, false)
KPROBE_UPDATE(htab_percpu_map_update_elem, true)
KPROBE_UPDATE(htab_lru_percpu_map_update_elem, true)
KPROBE_UPDATE(array_map_update_elem, true)
KPROBE_UPDATE(trie_update_elem, false)
KPROBE_DELETE(htab_map_delete_elem)
KPROBE_DELETE(htab_lru_map_delete_elem)
KPROBE_DELETE(trie_delete_elem)

KPROBE_ENTRY(htab_lru_map_delete_node)
SEC("kretprobe/htab_lru_map_delete_node") int kretprobe_htab_lru_map_delete_node(struct pt_regs *ctx)
{
	struct change c = {};
	struct frame f = {};

	if (!take_frame(&f, ctx->sp) || !(ctx->ax & 0xff))
		return 0;
	target_of(&c.t, (void *)f.map);
	if (is_watched(&c.t))
		change(&c, MAPLOG_EVICT, MAPLOG_BY_EVICTION, key_of_node((void *)f.key), 0);
	return 0;
}

/* ---- bpf(2), for the kprobe and the syscall probe ---- */

struct sys_exit {
	__u64 common;
	long nr;
	long result;
};

/* The map behind a descriptor of the current task, or null. */
static __always_inline struct bpf_map *map_of_fd(__u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = 0;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	if (!file)
		return 0;
	/* bpf(2) took the descriptor for a map's a moment ago: this is for the thread that swapped it since. */
	if (&bpf_map_fops && (void *)BPF_CORE_READ(file, f_op) != (void *)&bpf_map_fops)
		return 0;
	return BPF_CORE_READ(file, private_data);
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
	struct bpf_map *map = map_of_fd(fd);

	if (!map)
		return false;
	target_of(&c->t, map);
	if (!is_watched(&c->t) || !is_taken_from_syscall(c->t.type))
		return false;
	c->tgid = bpf_get_current_pid_tgid() >> 32;
	return !is_replicator(c->tgid);
}

static __always_inline int one_by_syscall(__u32 command, void *attr_at)
{
	struct { __u32 map_fd, pad; __u64 key, value, flags; } attr = {};
	struct change c = {};

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

static __always_inline int batch_by_syscall(__u32 command, void *attr_at, long result, const bool looped)
{
	struct batch b = {};
	__u32 fd = 0;

	bpf_probe_read_user(&fd, sizeof(fd), attr_at + __builtin_offsetof(union bpf_attr, batch.map_fd));
	if (!is_change_of_watched(&b.c, fd))
		return 0;
	if (command == BPF_MAP_LOOKUP_AND_DELETE_BATCH && result == -EFAULT) {
		b.c.count = 1;
		count_loss(&b.c, UNREADABLE);
		return 0;
	}
	if (command == BPF_MAP_UPDATE_BATCH)
		size_value(&b.c, false, 0);
	batch_done(&b, operation_of(command), (__u64)attr_at, result, looped);
	return 0;
}

static __always_inline int called_bpf(long result, const bool looped)
{
	struct pt_regs *regs = user_regs();
	unsigned long command = 0, attr_at = 0, attr_size = 0;

	bpf_probe_read_kernel(&command, sizeof(command), &regs->di);
	command = (__u32)command;
	if (!is_map_command(command))
		return 0;
	bpf_probe_read_kernel(&attr_at, sizeof(attr_at), &regs->si);
	if (command == BPF_MAP_UPDATE_BATCH || command == BPF_MAP_DELETE_BATCH || command == BPF_MAP_LOOKUP_AND_DELETE_BATCH) {
		/*
		 * -E2BIG is a full map's word, in the middle of a batch: then the kernel has written how many were done before.
		 * Of the whole call it says so only where the attr has more in it than this kernel knows.
		 */
		bpf_probe_read_kernel(&attr_size, sizeof(attr_size), &regs->dx);
		if (result == -E2BIG && (__u32)attr_size <= bpf_core_type_size(union bpf_attr))
			result = 0;
		return batch_by_syscall(command, (void *)attr_at, result, looped);
	}
	return result ? 0 : one_by_syscall(command, (void *)attr_at);
}

SEC("tracepoint/syscalls/sys_exit_bpf") int sys_exit_bpf(struct sys_exit *ctx)
{
	return called_bpf(ctx->result, true);
}

SEC("tracepoint/syscalls/sys_exit_bpf") int unlooped_sys_exit_bpf(struct sys_exit *ctx)
{
	return called_bpf(ctx->result, false);
}
