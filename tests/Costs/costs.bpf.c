// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What the hook is measured on, and the usual design that it is measured against. */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/ptrace.h>
#include <linux/tcp.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "shapes.h"

#define HASH(name, entries, k, v)		\
struct {					\
	__uint(type, BPF_MAP_TYPE_HASH);	\
	__uint(max_entries, entries);		\
	__type(key, k);				\
	__type(value, v);			\
} name SEC(".maps")

HASH(costs_seen, KEYS, struct bench_key, struct bench_value);
HASH(costs_other, KEYS, struct bench_key, struct bench_value);
HASH(costs_flows, 65536, struct flow_key, struct flow);

/* --- updates by a networking program ------------------------------------------------------------------ */

struct globals globals;

static __always_inline void update_window(void *map)
{
	struct bench_value value = {};
	struct bench_key key = {};
	__u64 at = globals.next_key, began;

	began = bpf_ktime_get_ns();
	for (int i = 0; i < WINDOW; i++) {
		key.part[0] = at++ % KEYS;
		value.part[0] = at;
		bpf_map_update_elem(map, &key, &value, BPF_ANY);
	}
	globals.window_ns = bpf_ktime_get_ns() - began;
	globals.next_key = at;
}

SEC("tc") int update_seen(struct __sk_buff *packet) { update_window(&costs_seen); return 0; }
SEC("tc") int update_other(struct __sk_buff *packet) { update_window(&costs_other); return 0; }

/* --- the least that two programs cost there --------------------------------------------------------------- */

SEC("fexit/htab_map_update_elem") int nothing(void *ctx) { return 0; }
SEC("fexit/htab_map_update_elem") int nothing_more(void *ctx) { return 0; }

/* --- the usual design: a kprobe, the name compared in it, a record of one size, a perf buffer ----------- */

struct bpf_map {
	__u32 key_size, value_size, id;
	char name[16];
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} usual_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct usual_record);
} usual_scratch SEC(".maps");

const volatile char usual_name[16] = "costs_seen";

SEC("kprobe/htab_map_update_elem")
int usual_update(struct pt_regs *ctx)
{
	struct bpf_map *map = (void *)PT_REGS_PARM1(ctx);
	struct usual_record *record;
	__u32 zero = 0;
	char name[16];

	bpf_core_read_str(name, sizeof(name), &map->name);
	for (int i = 0; i < 16; i++) {
		if (name[i] != usual_name[i])
			return 0;
		if (!name[i])
			break;
	}
	record = bpf_map_lookup_elem(&usual_scratch, &zero);
	if (!record)
		return 0;
	record->time = bpf_ktime_get_ns();
	record->map_id = BPF_CORE_READ(map, id);
	record->operation = 1;
	record->key_size = BPF_CORE_READ(map, key_size);
	record->value_size = BPF_CORE_READ(map, value_size);
	record->pid = bpf_get_current_pid_tgid() >> 32;
	__builtin_memcpy(record->name, name, sizeof(name));
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	if (record->key_size <= sizeof(record->key))
		bpf_probe_read_kernel(record->key, record->key_size & 127, (void *)PT_REGS_PARM2(ctx));
	if (record->value_size < 256)
		bpf_probe_read_kernel(record->value, record->value_size & 255, (void *)PT_REGS_PARM3(ctx));
	bpf_perf_event_output(ctx, &usual_events, BPF_F_CURRENT_CPU, record, sizeof(*record));
	return 0;
}

/* --- the tracking of connections ------------------------------------------------------------------------ */

enum state { SYN_SENT = 1, SYN_RECEIVED, ESTABLISHED, CLOSING, CLOSED };

static __always_inline void put(const struct flow_key *key, const struct flow *flow)
{
	if (!bpf_map_update_elem(&costs_flows, key, flow, BPF_ANY))
		__sync_fetch_and_add(&globals.flow_changes, 1);
}

/* A change of the map for each change of a connection's state: one added, four updated, one deleted. */
SEC("tc") int track(struct __sk_buff *packet)
{
	void *data = (void *)(long)packet->data, *end = (void *)(long)packet->data_end;
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	struct flow_key key = {};
	struct flow flow = {}, *known;
	bool reply;

	if ((void *)(tcp + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_TCP || ip->ihl != 5)
		return TC_ACT_OK;
	reply = tcp->source == bpf_htons(TRAFFIC_PORT);
	key.client = reply ? ip->daddr : ip->saddr;
	key.server = reply ? ip->saddr : ip->daddr;
	key.client_port = reply ? tcp->dest : tcp->source;
	key.server_port = reply ? tcp->source : tcp->dest;
	key.protocol = IPPROTO_TCP;
	known = bpf_map_lookup_elem(&costs_flows, &key);
	if (!known) {
		if (tcp->syn && !tcp->ack) {
			flow.began = flow.seen = bpf_ktime_get_ns();
			flow.packets[0] = 1;
			flow.bytes[0] = packet->len;
			flow.state = SYN_SENT;
			put(&key, &flow);
		}
		return TC_ACT_OK;
	}
	flow = *known;
	flow.packets[reply]++;
	flow.bytes[reply] += packet->len;
	if (tcp->rst || (flow.state == CLOSED && tcp->ack && !tcp->fin)) {
		if (!bpf_map_delete_elem(&costs_flows, &key))
			__sync_fetch_and_add(&globals.flow_changes, 1);
		return TC_ACT_OK;
	}
	if (tcp->syn && tcp->ack)
		flow.state = SYN_RECEIVED;
	else if (tcp->fin)
		flow.state = flow.state == CLOSING ? CLOSED : CLOSING;
	else if (flow.state == SYN_RECEIVED && !reply)
		flow.state = ESTABLISHED;
	else
		return TC_ACT_OK;
	flow.seen = bpf_ktime_get_ns();
	put(&key, &flow);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
