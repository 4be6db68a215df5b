/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The kernel runs no BPF program on a CPU on which the same program is under way already: one that
 * an interrupt or, on a preemptible kernel, another task has come upon in the middle. Every change
 * made meanwhile on that CPU would go unseen, for as long as the task is not running.
 *
 * Hence two programs on each function. The first records, and leaves a mark of the call; the
 * second, the spare, takes the mark away, and records where there is none: then the first was
 * skipped. (The kernel runs the program that was attached last first.) The call is known by the
 * address of the programs' context, which lies on its stack.
 */
#ifndef MAPLOG_CALLS_H
#define MAPLOG_CALLS_H

#define CALLS 8	/* that stand between their two programs, on one CPU */

struct calls {
	__u64 call[CALLS];	/* 0: free */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct calls);
} maplog_calls SEC(".maps");

/* Whether this program, the spare or the first, is to record the call. Neither runs twice at once, so neither disturbs the other. */
static __always_inline bool is_mine(const void *call, const bool spare)
{
	__u32 zero = 0;
	struct calls *c = bpf_map_lookup_elem(&maplog_calls, &zero);
	__u64 *free = 0;

	if (!c)
		return !spare;
	for (int i = 0; i < CALLS; i++) {
		if (c->call[i] == (__u64)call) {
			/* The first finds its mark of an earlier call, whose spare was skipped. */
			if (spare)
				c->call[i] = 0;
			return !spare;
		}
		if (!c->call[i])
			free = &c->call[i];
	}
	if (spare)
		return true;
	if (free)
		*free = (__u64)call;
	return free;
}

#endif
