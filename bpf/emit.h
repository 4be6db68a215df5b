/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Writes records into the ring, in place. The verifier wants reservations of constant size, so there is a ladder of
 * classes: a record takes the first one that has room for its keys and values. The verifier does not know the sum of two
 * sizes either: in a class of T bytes the keys end at one of a few places, and the values have what is left behind it. The
 * classes and these places stand so close that a record takes at most 1.5 times its header, keys and values. Only a single
 * key of more than 512 bytes can take more, up to 4 times: all its places would keep the verifier several times as long.
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

/* Bytes of keys and of values in one record of several changes. */
#define BATCH_KEYS 32768
#define BATCH_VALUES 65536

#define LONG 512	/* bytes: few keys are longer */
#define LOADED 128	/* bytes of a class up to which loads cost less than the helper's call */

/*
 * Reads `size` bytes into a place of `room`, by loads if the helper is not asked for. Loads read the whole of `room`: what lies
 * behind the bytes goes into the record's unused end, or the value goes over it.
 */
static __always_inline long read(void *to, const __u32 room, __u64 size, const void *from, const bool user, const bool by_call)
{
	if (!user && !by_call && room <= LOADED && can_cast()) {
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

static __always_inline struct maplog_record *begin_record(struct change *c, const __u32 T)
{
	struct maplog_record *r = bpf_ringbuf_reserve(&maplog_ring, sizeof(*r) + T, 0);

	if (!r)
		return 0;
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
	return r;
}

/* Reads the values into the V bytes behind the last key, which ends at K at the latest. */
static __always_inline long read_values(struct maplog_record *r, struct change *c, const __u32 K, const __u32 V, const bool user)
{
	__u64 key_bytes = c->key_bytes;

	if (!c->value_bytes || !V)
		return 0;
	return is_within(key_bytes, K) ? read((void *)(r + 1) + key_bytes, V, c->value_bytes, c->value, user, K > 64) : -1;
}

static __always_inline int end_record(struct maplog_record *r, long failed)
{
	if (failed) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return UNREADABLE;
	}
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return DONE;
}

/* For keys that end at `end` at the latest. */
#define KEYS_END(end) do { \
	if ((end) <= T && (end) <= LONG && c->key_bytes <= (end)) { \
		failed = read(r + 1, (end), c->key_bytes, c->key, user, (end) > 64) || read_values(r, c, (end), T - (end), user); \
		goto read; \
	} \
} while (0)

/* A record of the class of T bytes. The keys, of at most 512 bytes, end at a multiple of `step`. */
static __always_inline int write_short(struct change *c, const __u32 T, const __u32 step, const bool user)
{
	struct maplog_record *r = begin_record(c, T);
	long failed = -1;

	if (!r)
		return RING_FULL;
	if (step > 64 && T < 4096)
		KEYS_END(64);
	KEYS_END(step); KEYS_END(2 * step); KEYS_END(3 * step); KEYS_END(4 * step); KEYS_END(5 * step); KEYS_END(6 * step);
	KEYS_END(7 * step); KEYS_END(8 * step); KEYS_END(9 * step); KEYS_END(10 * step); KEYS_END(11 * step); KEYS_END(12 * step);
read:
	return end_record(r, failed);
}

/* The same with longer keys, a batch's as a rule. */
static __always_inline int write_long(struct change *c, const __u32 T, const __u32 step, const bool user)
{
	struct maplog_record *r = begin_record(c, T);
	long failed;

	if (!r)
		return RING_FULL;
	failed = read(r + 1, T, c->key_bytes, c->key, user, true);
	if (failed || !c->value_bytes)
		goto read;
	failed = -1;
#define VALUES_BEHIND(end) do { \
	if ((end) > LONG && (end) < T && c->key_bytes <= (end)) { \
		failed = read_values(r, c, (end), T - (end), user); \
		goto read; \
	} \
} while (0)
	VALUES_BEHIND(step); VALUES_BEHIND(2 * step); VALUES_BEHIND(3 * step); VALUES_BEHIND(4 * step);
	VALUES_BEHIND(5 * step); VALUES_BEHIND(6 * step); VALUES_BEHIND(7 * step); VALUES_BEHIND(8 * step);
	 VALUES_BEHIND(9 * step); VALUES_BEHIND(10 * step); VALUES_BEHIND(11 * step);
#undef VALUES_BEHIND
read:
	return end_record(r, failed);
}
#undef KEYS_END

/* Without a branch of its own: for the verifier each doubles the ways through the ladder. */
#define FIT(T, step) ((keys + (step) - 1) / (step) * (step) + values <= (T))
#define SHORT(T, step) if (FIT(T, step)) return write_short(c, (T), (step), user)
#define SHORTS(T, step) do { SHORT((T), (step)); SHORT((T) / 4 * 5, (step)); SHORT((T) / 2 * 3, (step)); } while (0)
#define LONG_OF(T, step) if (FIT(T, step)) return write_long(c, (T), (step), user)
/* A batch's record has at most BATCH_KEYS and BATCH_VALUES. */
#define LONGS(T) do { \
	if (user && (T) <= BATCH_KEYS + BATCH_VALUES) { \
		LONG_OF((T), (T) / 8); LONG_OF((T) / 4 * 5, (T) / 8); LONG_OF((T) / 2 * 3, (T) / 8); \
	} else { \
		LONG_OF((T), (T) / 2); \
	} \
} while (0)

/* One change, or some of a batch, from kernel memory or, for the syscall probe, from the caller's. */
static __always_inline int write(struct change *c, const bool user)
{
	__u64 keys = c->key_bytes, values = c->value_bytes;

	if (keys <= LONG) {
		SHORT(16, 8); SHORT(32, 8); SHORT(48, 8); SHORT(64, 8); SHORT(80, 16); SHORT(96, 16); SHORT(112, 16);
		SHORT(128, 32); SHORT(160, 32); SHORT(192, 32); SHORT(256, 32); SHORT(320, 32); SHORT(384, 32);
		SHORTS(512, 64); SHORTS(1024, 128); SHORTS(2048, 256); SHORTS(4096, 512); SHORTS(8192, 512); SHORTS(16384, 512);
		SHORTS(32768, 512); SHORTS(65536, 512); SHORTS(131072, 512); SHORTS(262144, 512); SHORTS(524288, 512);
		SHORTS(1048576, 512); SHORTS(2097152, 512); SHORTS(4194304, 512);
	} else {
		LONGS(512); LONGS(1024); LONGS(2048); LONGS(4096); LONGS(8192); LONGS(16384); LONGS(32768); LONGS(65536); LONGS(131072);
		LONGS(262144); LONGS(524288); LONGS(1048576); LONGS(2097152); LONGS(4194304);
		LONG_OF(8388608, 1048576);
	}
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
	int outcome = write(c, false);

	if (outcome != DONE)
		count_loss(c, outcome);
	return 0;
}

static __noinline int emit_user(struct change *c)
{
	int outcome = write(c, true);

	if (outcome != DONE)
		count_loss(c, outcome);
	return 0;
}

#endif
