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
 *
 * Marks lie in sets, found by the task's address without a map's lookup. Not per CPU: a task may move
 * between its two programs. A set is not locked: what interrupts a task has ended when the task goes on,
 * and two running tasks have one set once in some thousand pairs; then two CPUs that take the same place
 * in it within the same few nanoseconds would leave one mark for two calls, and one recorded twice.
 */
#ifndef MAPLOG_CALLS_H
#define MAPLOG_CALLS_H

#define CALL_SETS 4096
#define CALLS 4	/* of one set that stand between their two programs */

struct calls {
	__u64 call[CALLS];	/* 0: free */
};

struct calls maplog_calls[CALL_SETS];

/* Whether this program, the spare or the first, is to record the call. */
static __always_inline bool is_mine(const void *call, const bool spare)
{
	struct calls *c = &maplog_calls[bpf_get_current_task() * 0x9e3779b97f4a7c15 >> 52];
	bool marked = false;

	if (spare) {
		/* All of them: an earlier call's, whose spare was skipped, would hide that a later one's first was. */
		for (int i = 0; i < CALLS; i++) {
			if (c->call[i] == (__u64)call) {
				c->call[i] = 0;
				marked = true;
			}
		}
		return !marked;
	}
	for (int i = 0; i < CALLS; i++) {
		if (!c->call[i] || c->call[i] == (__u64)call) {
			c->call[i] = (__u64)call;
			return true;
		}
	}
	return false;
}

#endif
