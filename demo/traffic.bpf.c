// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A load balancer's connection table, and a program that lives as such a program does: every
 * packet opens a connection, refreshes one or closes one. The demo runs it on made-up packets
 * (BPF_PROG_TEST_RUN), one change of the map per run.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* 24 bytes, network byte order as in the packet. The demo's Flow.cs is the same in C#. */
struct flow {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	__u8  protocol;
	__u8  reserved[3];
	__u64 tunnel;
};

/* 64 bytes */
struct connection {
	__u64 packets;
	__u64 bytes;
	__u64 opened;		/* ns since boot */
	__u64 seen;
	__be32 backend;
	__be16 backend_port;
	__u8  state;
	__u8  flags;
	__u64 reserved[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct flow);
	__type(value, struct connection);
} ct_map SEC(".maps");

#define CLIENTS		4096
#define TO_NETWORK16(x)	__builtin_bswap16(x)
#define TO_NETWORK32(x)	__builtin_bswap32(x)

SEC("xdp")
int traffic(struct xdp_md *packet)
{
	__u32 client = bpf_get_prandom_u32() % CLIENTS;
	struct flow flow = {
		.source = TO_NETWORK32(0x0a000000 + client),
		.destination = TO_NETWORK32(0xc0000201),
		.source_port = TO_NETWORK16(32768 + client % 1021),
		.destination_port = TO_NETWORK16(443),
		.protocol = 6,
	};
	struct connection *known = bpf_map_lookup_elem(&ct_map, &flow);
	struct connection connection = {};
	__u64 now = bpf_ktime_get_ns();

	if (known && bpf_get_prandom_u32() % 4 == 0) {
		bpf_map_delete_elem(&ct_map, &flow);
		return XDP_PASS;
	}
	/*
	 * Written back whole and not through the pointer: a write through the pointer is the one
	 * change that no hook of any kind sees at once; maplog finds it when it scans the map.
	 */
	if (known) {
		connection = *known;
	} else {
		connection.opened = now;
		connection.backend = TO_NETWORK32(0xac100000 + client % 16);
		connection.backend_port = TO_NETWORK16(8443);
		connection.state = 1;
	}
	connection.packets++;
	connection.bytes += packet->data_end - packet->data;
	connection.seen = now;
	bpf_map_update_elem(&ct_map, &flow, &connection, BPF_ANY);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
