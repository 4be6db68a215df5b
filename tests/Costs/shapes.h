/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs of costs and its BPF programs share. */
#ifndef SHAPES_H
#define SHAPES_H

#include <linux/types.h>

#define KEYS 4096		/* entries of the updated maps: each update finds its key */
#define WINDOW 256		/* updates measured with two looks at the clock */
#define TRAFFIC_PORT 8080

/* A connection: 24 bytes, and 64 of what is known about it. */
struct flow_key {
	__u32 client, server;
	__u16 client_port, server_port;
	__u32 protocol, unused[2];
};

struct flow {
	__u64 began, seen;
	__u64 packets[2], bytes[2];
	__u32 state, mark;
	__u64 unused;
};

struct bench_key {
	__u64 part[3];
};

struct bench_value {
	__u64 part[8];
};

/* What the programs tell user space: their only global. */
struct globals {
	__u64 next_key;
	__u64 window_ns;	/* WINDOW updates took so long */
	__u64 flow_changes;	/* completed changes of costs_flows */
};

/* What the usual design sends for each change, whatever its size. */
struct usual_record {
	__u64 time;
	__u32 map_id, operation, key_size, value_size, pid, unused;
	char name[16], comm[16];
	__u8 key[128];
	__u8 value[320];
};
_Static_assert(sizeof(struct usual_record) == 512, "");

#endif
