/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The kprobe probe: kprobes on the map operations, for what networking programs write. */
#ifndef MAPLOG_KPROBE_H
#define MAPLOG_KPROBE_H

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

#endif
