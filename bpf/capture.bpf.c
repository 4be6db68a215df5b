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
