// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The hook: every completed change of a watched map becomes a record in the ring.
 *
 * Three probes, of which the daemon loads one:
 *   fentry   fexit on the map operations; sees everything but writes through pointers
 *   kprobe   kprobes on the map operations for networking programs, the end of bpf(2) for user
 *            space: the kernel skips kprobe programs inside bpf(2), so neither sees the other's.
 *            What tracing programs write is not seen.
 *   syscall  the end of bpf(2) alone
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
#include "who.h"
#include "change.h"
#include "batch.h"
#include "fentry.h"
#include "kprobe.h"
#include "syscall.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
/* Nothing reads it, and libbpf leaves its section alone: a compiler writes into BTF only the types that data have. */
struct {
	struct maplog_record record;
	struct maplog_map_seen map_seen;
	enum maplog_version version;
	enum maplog_operation operation;
	enum maplog_origin origin;
	enum maplog_flag flag;
	enum maplog_verdict verdict;
	enum maplog_verdict_room verdicts;
	enum maplog_name_room names;
	enum maplog_slot_room slots;
} maplog_layout SEC("layout") = {};
