/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Writes records into the ring, in place. The verifier wants reservations of constant size,
 * so there is a ladder of them: a key class (K bytes at the most) and a value class (V bytes).
 * A record takes the first that fits, and its key and value are read straight into it.
 */
#ifndef MAPLOG_EMIT_H
#define MAPLOG_EMIT_H

struct change {
	struct target t;
	struct task_struct *task;
	const void *key;
	const void *value;
	__u32 key_bytes;	/* of all keys */
	__u32 value_bytes;	/* of all values; 0: none */
	__u32 value_size;	/* of one value as it stands in the record */
	__u32 count;
	__u32 value_cpu;
	__u16 flags;
	__u8 operation;
	__u8 origin;
};

enum outcome { DONE = 0, TOO_BIG, RING_FULL, UNREADABLE };

/* For the verifier, at the very place where it wants to know: the class was chosen by these sizes. In 64 bits, else the compiler compares a copy. */
#define is_within(size, room) ({ barrier_var(size); (size) <= (room); })

#define LOADED 128	/* bytes of a class up to which loads cost less than the helper's call */

/* Reads `size` bytes into a place of `room`. By loads it reads the whole of `room`: what lies behind the bytes goes into the record's unused end, or the value goes over it. */
static __always_inline long read(void *to, const __u32 room, __u64 size, const void *from, const bool user)
{
	if (!user && room <= LOADED && can_cast()) {
		/* The map's operation has read them from there a moment ago: there is no page fault to tell of. */
		for (__u32 at = 0; at < room; at += sizeof(__u64))
			*(__s64 *)(to + at) = ((struct timespec64 *)bpf_rdonly_cast(from + at, bpf_core_type_id_kernel(struct timespec64)))->tv_sec;
		return 0;
	}
	if (!is_within(size, room))
		return -1;
	return user ? bpf_probe_read_user(to, size, from) : bpf_probe_read_kernel(to, size, from);
}

/* Where and in whose time it ran: from the task, whose fields cost a load each and no helper's call. */
static __always_inline void stamp(struct maplog_record *r, struct task_struct *task)
{
	if (!knows_task() || !bpf_core_field_exists(struct thread_info, cpu)) {
		r->cpu = bpf_get_smp_processor_id();
		r->tgid = bpf_get_current_pid_tgid() >> 32;
		bpf_get_current_comm(r->comm, sizeof(r->comm));
		return;
	}
	r->cpu = task->thread_info.cpu;
	r->tgid = task->tgid;
	((__u64 *)r->comm)[0] = ((__u64 *)task->comm)[0];
	((__u64 *)r->comm)[1] = ((__u64 *)task->comm)[1];
}

static __always_inline int write_record(struct change *c, const __u32 K, const __u32 V, const bool user)
{
	struct maplog_record *r = bpf_ringbuf_reserve(&maplog_ring, sizeof(*r) + K + V, 0);
	__u64 key_bytes = c->key_bytes;

	if (!r)
		return RING_FULL;
	r->time = bpf_ktime_get_boot_ns();
	r->map_id = c->t.id;
	r->operation = c->operation;
	r->origin = c->origin;
	r->flags = c->flags;
	r->value_cpu = c->value_cpu;
	r->count = c->count;
	r->key_size = c->t.key_size;
	r->value_size = c->value_size;
	stamp(r, c->task);

	if (read(r + 1, K, key_bytes, c->key, user))
		goto unreadable;
	if (V && (!is_within(key_bytes, K) || read((void *)(r + 1) + key_bytes, V, c->value_bytes, c->value, user)))
		goto unreadable;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return DONE;
unreadable:
	bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
	return UNREADABLE;
}

#define FITS(K, V) if (c->key_bytes <= (K) && c->value_bytes <= (V)) return write_record(c, (K), (V), user)

/* One change, from kernel memory or, for the syscall probe, from the caller's. */
static __always_inline int write_one(struct change *c, const bool user)
{
#define VALUES(K) do { FITS(K, 0); FITS(K, 16); FITS(K, 32); FITS(K, 64); FITS(K, 96); FITS(K, 128); \
	FITS(K, 192); FITS(K, 256); FITS(K, 512); FITS(K, 1024); FITS(K, 2048); FITS(K, 4096); } while (0)
	if (c->value_bytes <= 4096) {
		if (c->key_bytes <= 32)
			VALUES(32);
		if (c->key_bytes <= 64)
			VALUES(64);
	}
	FITS(512, 0); FITS(512, 512); FITS(512, 8192); FITS(512, 16384); FITS(512, 32768); FITS(512, 65536);
	FITS(512, 262144); FITS(512, 1048576); FITS(512, 4194304);
	FITS(65536, 0); FITS(65536, 65536); FITS(65536, 4194304); FITS(4194304, 4194304);
#undef VALUES
	return TOO_BIG;
}

static __always_inline void count_loss(struct change *c, int outcome)
{
	struct maplog_losses *l = losses_of(&c->t);

	if (!l)
		return;
	if (outcome == RING_FULL)
		__sync_fetch_and_add(&l->ring_full, c->count);
	else if (outcome == UNREADABLE)
		__sync_fetch_and_add(&l->unreadable, c->count);
	else
		__sync_fetch_and_add(&l->too_long, c->count);
}

static __noinline int emit(struct change *c)
{
	int outcome = write_one(c, false);

	if (outcome != DONE)
		count_loss(c, outcome);
	return 0;
}

static __noinline int emit_user(struct change *c)
{
	int outcome = write_one(c, true);

	if (outcome != DONE)
		count_loss(c, outcome);
	return 0;
}

#endif
