/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A batch, from the memory of the process that called bpf(2). `looped` programs walk it with
 * bpf_loop; their `unlooped_` doubles are for kernels before 5.17.
 */
#ifndef MAPLOG_BATCH_H
#define MAPLOG_BATCH_H

struct batch {
	struct change c;
	__u32 left;
	__u32 at_most;	/* changes in one record */
};

/* The next record of a batch. Returns 1 when the batch is done. */
static long emit_part(__u32 index, struct batch *b)
{
	if (!b->left)
		return 1;
	b->c.count = b->left < b->at_most ? b->left : b->at_most;
	b->c.key_bytes = b->c.count * b->c.t.key_size;
	b->c.value_bytes = b->c.count * b->c.value_size;
	emit_user(&b->c);
	b->c.key += b->c.key_bytes;
	b->c.value += b->c.value_bytes;
	b->left -= b->c.count;
	return 0;
}

static __always_inline void begin_batch(struct batch *b)
{
	__u32 by_keys = BATCH_KEYS / (b->c.t.key_size ?: 1);
	__u32 by_values = b->c.value_size ? BATCH_VALUES / b->c.value_size : by_keys;

	b->at_most = by_keys < by_values ? by_keys : by_values;
	if (!b->at_most)
		b->at_most = 1;
}

static __noinline int emit_looped(struct batch *b)
{
	begin_batch(b);
	bpf_loop(1 << 23, emit_part, b, 0);
	return 0;
}

/* Where the kernel has no bpf_loop: some parts, and what is left is a loss. */
#define UNLOOPED_PARTS 8

static __noinline int emit_unlooped(struct batch *b)
{
	begin_batch(b);
	for (int i = 0; i < UNLOOPED_PARTS; i++)
		if (emit_part(i, b))
			return 0;
	if (b->left) {
		b->c.count = b->left;
		count_loss(&b->c, TOO_BIG);
	}
	return 0;
}

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

#endif
