/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The record: what the hook writes into the ring for the daemon, shared by C and C#
 * (src/Shared/Hooking/RecordHeader.cs is the same in C#; a unit test compares the two, by the BTF of
 * the compiled object, into which maplog_layout brings all that is shared).
 *
 *	struct maplog_record | count keys | count values | unused
 *
 * Keys and values stand tight, in the order of the changes, native byte order as the map has
 * them. A record holds one change, or the changes of one bpf(2) batch, or (MAPLOG_MAP_SEEN)
 * a struct maplog_map_seen. It may be longer than its content: the ring gives out few sizes.
 *
 * Rules for change: any change to this file changes MAPLOG_LAYOUT. A daemon keeps the programs
 * of another one running only while the layouts are the same; else the change-over is a gap.
 */
#ifndef MAPLOG_RECORD_H
#define MAPLOG_RECORD_H

enum maplog_version {
	MAPLOG_LAYOUT	= 2,
};

enum maplog_operation {
	MAPLOG_UPDATE	= 1,	/* key = value; the daemon tells added from updated */
	MAPLOG_DELETE	= 2,
	MAPLOG_EVICT	= 3,	/* an LRU map made room */
	MAPLOG_MAP_SEEN	= 4,	/* the first operation on a map of a watched name */
};

enum maplog_origin {		/* the numbers of src/Shared/Events/Origin.cs */
	MAPLOG_BY_PROGRAM	= 1,
	MAPLOG_BY_SYSCALL	= 2,
	MAPLOG_BY_EVICTION	= 3,
};

enum maplog_flag {
	MAPLOG_ONE_CPU	= 1,	/* per-CPU map: value is the one of value_cpu, the others stay */
	MAPLOG_ALL_CPUS	= 2,	/* per-CPU map: value is every CPU's */
	MAPLOG_UNSURE	= 4,	/* a batch that failed: which of its keys were done only the map can tell */
};

struct maplog_record {
	__u64 time;		/* ns since boot, suspend included */
	__u32 map_id;
	__u8  operation;
	__u8  origin;
	__u16 flags;
	__u32 cpu;		/* the CPU the hook ran on */
	__u32 value_cpu;	/* MAPLOG_ONE_CPU: whose value */
	__u32 tgid;		/* in the initial pid namespace; a softirq's is the task it interrupted */
	__u32 count;		/* changes in this record */
	__u32 key_size;		/* bytes of one key */
	__u32 value_size;	/* bytes of one value as it stands here; 0: none */
	char  comm[16];
};

struct maplog_map_seen {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
	char  name[16];
};

/* Why a change did not reach the ring, counted per watched map. */
struct maplog_losses {
	__u64 ring_full;	/* changes */
	__u64 unreadable;	/* changes whose key or value could not be read (a page not resident) */
	__u64 too_long;		/* changes beyond what one batch, one record or one stack of calls can carry */
};

/* A watched name, the key of a trie: the first bits of the 16 bytes that the kernel keeps of a map's name. */
struct maplog_name {
	__u32 bits;		/* 128: exactly this name; fewer, whole bytes: a prefix */
	char  name[16];
};

struct maplog_config {
	__u32 syscall_types;	/* bit t: changes of maps of type t are taken from the bpf(2) tracepoint */
};

/*
 * What the daemon sets before the programs are loaded. Addresses are from /proc/kallsyms, 0 if it has none: a kernel
 * built without KALLSYMS_ALL names no variable (it has no kprobes either; the syscall probe needs none). As externs
 * beside bpf_prog_active, libbpf would take that one for known on kernels whose BTF does not have it.
 */
struct maplog_constants {
	__u64 possible_cpus;
	__u64 bpf_map_fops;
	__u64 per_cpu_offset;
	__u64 preempt_count;
	__u64 pcpu_hot;
};

/* An enum each: BTF readers know one name for a number. */
enum maplog_verdict_room {
	MAPLOG_VERDICTS	= 262144,	/* map ids below have their verdict in an array, the others in a hash */
};

enum maplog_name_room {
	MAPLOG_NAMES	= 4096,		/* watched names and prefixes */
};

enum maplog_slot_room {
	MAPLOG_SLOTS	= 4096,		/* watched maps with loss counters of their own */
};

/* What the hook does with a map id: 0 not judged yet, 1 not watched, else watched, losses in slot verdict - 2. */
enum maplog_verdict {
	MAPLOG_NOT_JUDGED	= 0,
	MAPLOG_IGNORED		= 1,
	MAPLOG_WATCHED		= 2,	/* slot 0: maps that the daemon has not opened yet */
};

#endif
