/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the members of a hot-standby group, the command and the program share, as maps that
 * are mapped into the members' memory (src/HotStandby/{Group,Member,Port}Record.cs are the
 * same in C#; a unit test compares them).
 *
 * Rules for change: any change to this file changes MAPLOG_STANDBY_LAYOUT. A member that
 * finds another layout pinned does not join.
 */
#ifndef MAPLOG_HOT_STANDBY_H
#define MAPLOG_HOT_STANDBY_H

#define MAPLOG_STANDBY_LAYOUT 4
#define MAPLOG_STANDBY_SLOTS 16

enum standby_policy {
	STANDBY_RANKED	 = 0,	/* the lowest rank of those that are well */
	STANDBY_WEIGHTED = 1,	/* in proportion to the weights, by the hash of the connection */
	STANDBY_STICKY	 = 2,	/* a client's address decides; who is well keeps his clients */
};

enum standby_failback {
	STANDBY_AT_ONCE	= 0,	/* a better rank takes over as soon as it is well */
	STANDBY_HELD	= 1,	/* who serves goes on serving while he is well */
};

/*
 * Why a member is passed over, the worst last. When all have faults the policy chooses among the least bad, and where
 * these are not eligible among those of them with the freshest replicas.
 */
enum standby_fault {
	STANDBY_WEIGHTLESS = 1,
	STANDBY_INELIGIBLE = 2,
	STANDBY_UNHEALTHY  = 4,
	STANDBY_DRAINING   = 8,
	STANDBY_STALE	   = 16,
};

/* Times are ns of CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns: it stands still while the host sleeps. */
struct standby_group {
	__u32 layout;
	__u32 policy;
	__u32 failback;
	__u32 refuse;		/* nobody is well: 1 refuse the connection, 0 give it to the least bad */
	__u64 timeout;		/* a heartbeat older than this is stale */
	__u64 incumbent;	/* incarnation of the member that was chosen last; the program writes it */
	__u64 incarnations;	/* counts who joined */
	__u64 network;		/* inode of the network namespace the group belongs to */
	__u32 ordered;		/* bits: an operator has set policy 1, failback 2, timeout 4, refuse 8 */
	__u32 taken;		/* a bit for each slot that is not free; the program looks at no other. The dead's is set until somebody joins */
	__u64 most;		/* all bits set: a number that the verifier does not know */
};

/* What is judged of a member is in one cache line. */
struct standby_member {
	__u64 incarnation;	/* 0: the slot is free; never used twice */
	__u64 timeout;		/* of its own; 0: the group's */
	__u64 eligible;		/* the moment until which it may go before others: who knows renews it, and nobody need be alive for it to lapse. 0: not; all bits: for ever */
	__u32 rank;
	__u32 weight;
	__u32 draining;
	__u32 unhealthy;
	__u32 seed;		/* from its name */
	__u32 no_beat;		/* it writes no heartbeat: never stale */
	__u32 level;		/* tenths of a second since boot, suspended time included: the moment noted beside its replicas at which the oldest was last level with its log; 0: not known */
	__u32 pid;
	__u64 joined;
	char  name[40];
	__u32 ordered;		/* bits: an operator has set rank 1, weight 2 */
	__u32 unused0;
	__u64 unused[2];
};

/* A member at one address and port: whoever serves there writes here, in a cache line of his own. */
struct standby_port {
	__u64 beat;
	__u32 pulse;		/* source port, network order, of the connection it makes to itself; 0: none */
	__u32 unused0;
	__u64 asked;		/* when the program gave the member its pulse here: a pulse that comes to the port and not to the program met another program */
	__u64 unused[5];
};

/* Per CPU and slot. */
struct standby_count {
	__u64 chosen;		/* new connections, for UDP datagrams */
	__u64 migrated;		/* taken over from a listener that closed */
	__u64 last_resort;	/* of both: given although it had a fault */
	__u64 pulses;		/* its own to itself, counted nowhere else */
};

/* The entry after those of the slots: chosen = left to the kernel's own hash, last_resort = refused. */
#define MAPLOG_STANDBY_NOBODY MAPLOG_STANDBY_SLOTS

#endif
