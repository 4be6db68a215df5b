/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What mapdriver and its BPF programs share. */
#ifndef STEP_H
#define STEP_H

#include <linux/types.h>

enum step_kind {
	STEP_PUT = 0,
	STEP_DELETE = 1,
};

/* Not an errno: the step's turn never came (the rest of a batch behind a failing entry). */
#define STEP_NOT_TRIED 1

/* pointer_step writes whole values of this size. */
#define POINTER_VALUE_BYTES 64

/* One intended change; result is 0 or -errno once it was tried. */
struct step {
	__u64 flags; /* of the update */
	__u32 kind;
	__u32 key;   /* index into the plan's keys */
	__u32 value; /* index into the plan's values */
	__u32 cpu;   /* the CPU it has to happen on */
	__s32 result;
	__u32 unused;
};

struct progress {
	volatile __u32 next;    /* the step to take now */
	volatile __u32 limit;   /* stop before this one */
	volatile __u32 tid;     /* the only thread whose system calls count */
	volatile __u32 retries;
};

#endif
