// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Hot standby: which of the processes that listen on one port gets a new connection (TCP) or
 * a datagram (UDP).
 *
 * One program, one array of sockets and one of heartbeats for each address and port; group, members
 * and counts are shared by all of a group. Whoever is stale, unhealthy, draining or not eligible is passed over
 * here, so no process need be alive to notice that another is not.
 *
 * Two programs of the same code; the daemon loads the first that this kernel takes:
 *   standby_migrate  from 5.14: chooses for connections of a closing listener too
 *   standby_select   before
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "hot_standby.h"

#define ETH_P_IP	0x0800
#define AF_INET		2
#define IPPROTO_TCP	6
#define TCP_FLAGS	13	/* offset in the header */
#define TCP_SYN		0x02
#define TCP_ACK		0x10
#define SLOTS		MAPLOG_STANDBY_SLOTS

/* What choose() says beside the slot. */
#define SLOT(choice)	((choice) & 0xff)
#define FAULTS		0xff
#define NONE		0xff
#define WELL		0	/* the cost of who is to be chosen if anyone is */
#define FAULTY		0x100
#define PULSE		0x200

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct standby_group);
} standby_group SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct standby_member);
} standby_members SEC(".maps");

/* Of this address and port. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct standby_port);
} standby_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS + 1);
	__type(key, __u32);
	__type(value, struct standby_count);
} standby_counts SEC(".maps");

/* The kernel clears a slot when its socket closes. Values of 8 bytes, so that bpf(2) can read the sockets' cookies. */
struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} standby_sockets SEC(".maps");

/* Spreads every bit of its input over the output (the finalizer of MurmurHash3). */
static __always_inline __u32 mix(__u32 h)
{
	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	return h ^ h >> 16;
}

/*
 * What stands against a slot: faults, and what else choose() asks. Not inlined, and not static:
 * the verifier checks it once by itself, and not for every turn of the loop that calls it.
 * A million cases are its limit, so below the loops work on numbers of which it knows nothing.
 */
#define FREE		0x400
#define INCUMBENT	0x800
#define SLOT_SHIFT	16	/* the slot again, as a number that the verifier does not know */

__noinline int judge(__u32 slot, __u64 now, __u32 source)
{
	__u32 zero = 0, verdict = 0;
	struct standby_group *group = bpf_map_lookup_elem(&standby_group, &zero);
	struct standby_member *m = bpf_map_lookup_elem(&standby_members, &slot);
	struct standby_port *port = bpf_map_lookup_elem(&standby_ports, &slot);
	__u64 timeout;

	if (!group || !m || !port || !m->incarnation)
		return FREE;
	verdict = slot << SLOT_SHIFT;
	if (source && port->pulse == source)
		return verdict | PULSE;
	if (group->policy != STANDBY_RANKED && !m->weight)
		verdict |= STANDBY_WEIGHTLESS;
	if (m->eligible < now)
		verdict |= STANDBY_INELIGIBLE;
	if (m->unhealthy)
		verdict |= STANDBY_UNHEALTHY;
	if (m->draining)
		verdict |= STANDBY_DRAINING;
	timeout = m->timeout ? m->timeout : group->timeout;
	/* Signed: another CPU may have written a beat that is later than our now. */
	if (!m->no_beat && (__s64)(now - port->beat) > (__s64)timeout)
		verdict |= STANDBY_STALE;
	if (group->failback == STANDBY_HELD && m->incarnation == group->incumbent)
		verdict |= INCUMBENT;
	return verdict;
}

/*
 * Whom choose() is to take when nobody is well: the faults of the least bad, and below them, where these are not eligible,
 * the level of the freshest replicas among them. Replicators ask the log once a second, members look as often: what is
 * less than ABREAST apart tells when somebody looked, not who has more, and while the log is away all are that near.
 */
#define ABREAST		20	/* tenths of a second */
#define ANY_WELL	0
#define NOBODY		(~0ULL)
#define FAULTS_OF(admitted) ((__u32)((admitted) >> 32))
#define LEVEL_OF(admitted)  ((__u32)(admitted))

__noinline __u64 least_bad(__u32 tried)
{
	__u32 zero = 0, taken, least, level = 0;
	struct standby_group *group = bpf_map_lookup_elem(&standby_group, &zero);
	__u64 now = bpf_ktime_get_ns();

	if (!group)
		return NOBODY;
	taken = group->taken & ~tried;
	least = group->most;
#pragma clang loop unroll(disable)
	for (__u32 slot = 0; slot < SLOTS; slot++) {
		__u32 key = slot, verdict;
		struct standby_member *m = bpf_map_lookup_elem(&standby_members, &key);

		if (!(taken >> slot))
			break;
		if (!m || !(taken >> slot & 1))
			continue;
		verdict = judge(slot, now, 0);
		if (verdict & FREE)
			continue;
		verdict &= FAULTS;
		if (verdict < least || (verdict == least && m->level > level)) {
			least = verdict;
			level = m->level;
		}
	}
	if (least > FAULTS)
		return NOBODY;
	if (!(least & STANDBY_INELIGIBLE) || level < ABREAST)
		level = ABREAST;
	return (__u64)least << 32 | (level - ABREAST);
}

/*
 * One pass over the slots that were not tried yet.
 *
 * source: the sender's port, to know a member's pulse by; 0: it is none
 * admitted: ANY_WELL, or what least_bad() said
 * returns the slot with FAULTY or PULSE, or NONE
 */
__noinline int choose(__u32 tried, __u32 connection, __u32 client, __u32 source, __u64 admitted)
{
	__u32 zero = 0, total = 0, best, draw, taken, weight;
	struct standby_group *group = bpf_map_lookup_elem(&standby_group, &zero);
	__u64 now = bpf_ktime_get_ns(), lowest;

	if (!group)
		return NONE;
	taken = group->taken & ~tried;
	lowest = group->most;
	best = group->most & NONE;
#pragma clang loop unroll(disable)
	for (__u32 slot = 0; slot < SLOTS; slot++) {
		__u32 key = slot, verdict;
		struct standby_member *m = bpf_map_lookup_elem(&standby_members, &key);
		__u64 cost;

		if (!(taken >> slot))
			break;
		if (!m || !(taken >> slot & 1))
			continue;
		verdict = judge(slot, now, source);
		if (verdict & FREE)
			continue;
		if (verdict & PULSE)
			return verdict >> SLOT_SHIFT | PULSE;
		if ((verdict & FAULTS) != FAULTS_OF(admitted) || m->level < LEVEL_OF(admitted))
			continue;
		cost = WELL;
		if (group->policy == STANDBY_WEIGHTED) {
			/* The last one that wins its draw against all before it: each wins in proportion to its weight. */
			weight = m->weight ? m->weight : 1; /* where none has any */
			total += weight;
			draw = mix(connection ^ mix(slot + 1));
			if ((__u64)draw * total >> 32 >= weight)
				continue;
		} else if (group->policy == STANDBY_STICKY) {
			/* The highest draw of client and member: who joins or leaves moves his own clients only. */
			cost = ~mix(client ^ m->seed);
		} else if (!(verdict & INCUMBENT)) {
			cost = (__u64)m->rank + WELL + 1;
		}
		if (cost < lowest || (cost == WELL && lowest == WELL)) {
			best = verdict >> SLOT_SHIFT | (admitted ? FAULTY : 0);
			lowest = cost;
		}
	}
	return best;
}

/* The sender's address as one number, the same for an IPv4 address and its form in IPv6. */
static __always_inline __u32 fold(__u32 a, __u32 b, __u32 c, __u32 d)
{
	if (!a && !b && c == bpf_htonl(0xffff))
		return mix(d);
	return mix(a ^ mix(b ^ mix(c ^ mix(d))));
}

static __always_inline __u32 client_of_packet(struct sk_reuseport_md *ctx)
{
	__u32 from[4] = {};

	if (ctx->eth_protocol == bpf_htons(ETH_P_IP))
		return bpf_skb_load_bytes_relative(ctx, 12, from, 4, BPF_HDR_START_NET) ? 0 : mix(from[0]);
	if (bpf_skb_load_bytes_relative(ctx, 8, from, 16, BPF_HDR_START_NET))
		return 0;
	return fold(from[0], from[1], from[2], from[3]);
}

/* Nobody but the host itself can send from the address it sends to. */
static __always_inline bool to_itself(struct sk_reuseport_md *ctx)
{
	__u32 a[8] = {};

	if (ctx->eth_protocol == bpf_htons(ETH_P_IP))
		return !bpf_skb_load_bytes_relative(ctx, 12, a, 8, BPF_HDR_START_NET) && a[0] == a[1];
	return !bpf_skb_load_bytes_relative(ctx, 8, a, 32, BPF_HDR_START_NET) &&
		a[0] == a[4] && a[1] == a[5] && a[2] == a[6] && a[3] == a[7];
}

/*
 * Atomic: a listener that closes runs this in a task, which a packet may interrupt. In assembler, for the compiler would
 * make one addition of several, to an address that depends on the case: without CAP_PERFMON the verifier takes none such.
 */
#define ADD_ONE(count, field) do { \
	__u64 one = 1; \
	asm volatile("lock *(u64 *)(%0 + %2) += %1" \
		: : "r"(count), "r"(one), "i"(__builtin_offsetof(struct standby_count, field)) : "memory"); \
} while (0)

static __always_inline void count(__u32 slot, bool migrating, int choice)
{
	struct standby_count *count = bpf_map_lookup_elem(&standby_counts, &slot);

	if (!count)
		return;
	if (choice & PULSE) {
		ADD_ONE(count, pulses);
		return;
	}
	if (migrating)
		ADD_ONE(count, migrated);
	else
		ADD_ONE(count, chosen);
	if (choice & FAULTY)
		ADD_ONE(count, last_resort);
}

/* A pulse that waited in a queue goes with it, but is nobody's connection. */
static __always_inline bool was_pulse(struct bpf_sock *moving)
{
	__u32 port = (__u16)moving->dst_port;

	for (__u32 slot = 0; slot < SLOTS; slot++) {
		__u32 key = slot;
		struct standby_port *p = bpf_map_lookup_elem(&standby_ports, &key);

		if (p && p->pulse == port)
			return true;
	}
	return false;
}

/* The member's proof that the port is this program's. */
static __always_inline void was_asked(__u32 slot)
{
	struct standby_port *port = bpf_map_lookup_elem(&standby_ports, &slot);

	if (port)
		port->asked = bpf_ktime_get_ns();
}

static __always_inline void remember(struct standby_group *group, __u32 slot)
{
	struct standby_member *m = bpf_map_lookup_elem(&standby_members, &slot);

	if (m && group->incumbent != m->incarnation)
		group->incumbent = m->incarnation;
}

/*
 * Only what opens a connection is counted: what comes late for one that is gone finds no socket but the listener,
 * and runs the program too. A datagram always counts.
 */
static __always_inline bool opens(struct sk_reuseport_md *ctx)
{
	__u8 *tcp = ctx->data, *end = ctx->data_end;

	if (ctx->ip_protocol != IPPROTO_TCP)
		return true;
	return tcp + TCP_FLAGS < end && (tcp[TCP_FLAGS] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/*
 * returns whether the socket of a choice has it now. None may be there: it has closed, or does not listen on this port.
 */
static __always_inline bool give(struct sk_reuseport_md *ctx, struct standby_group *group, int choice, bool migrating, bool pulse)
{
	__u32 slot = SLOT(choice);

	if (bpf_sk_select_reuseport(ctx, &standby_sockets, &slot, 0))
		return false;
	if (migrating || opens(ctx))
		count(slot, migrating, pulse ? PULSE : choice);
	if (choice & PULSE)
		was_asked(slot);
	else if (!(choice & FAULTY))
		remember(group, slot);
	return true;
}

static __always_inline int serve(struct sk_reuseport_md *ctx, __u32 client, bool migrating, bool pulse)
{
	__u32 zero = 0, tried = 0, source = 0;
	struct standby_group *group = bpf_map_lookup_elem(&standby_group, &zero);
	void *data = ctx->data, *end = ctx->data_end;
	int choice;

	if (!group)
		return SK_PASS;
	if (!migrating && data + sizeof(__u16) <= end)
		source = *(__u16 *)data;
	if (!client && group->policy == STANDBY_STICKY)
		client = client_of_packet(ctx);
	for (int tries = 0; tries <= SLOTS; tries++) {
		choice = choose(tried, ctx->hash, client, source, ANY_WELL);
		if (choice == NONE)
			break;
		if (choice & PULSE && !to_itself(ctx)) {
			source = 0; /* someone else's port is the same: no pulse */
			continue;
		}
		if (give(ctx, group, choice, migrating, pulse))
			return SK_PASS;
		source = 0;
		tried |= 1u << (choice & 31);
	}
	/* Nobody is well. */
	for (int tries = 0; tries <= SLOTS && !group->refuse; tries++) {
		__u64 admitted = least_bad(tried);

		if (admitted == NOBODY)
			break;
		choice = choose(tried, ctx->hash, client, 0, admitted);
		if (choice == NONE)
			break;
		if (give(ctx, group, choice, migrating, pulse))
			return SK_PASS;
		tried |= 1u << (choice & 31);
	}
	if (migrating || opens(ctx))
		count(MAPLOG_STANDBY_NOBODY, false, group->refuse ? FAULTY : 0);
	return group->refuse ? SK_DROP : SK_PASS;
}

SEC("sk_reuseport/migrate")
int standby_migrate(struct sk_reuseport_md *ctx)
{
	struct bpf_sock *moving = ctx->migrating_sk;
	__u32 client;

	if (!moving)
		return serve(ctx, 0, false, false);
	/* The packet, if there is one, has no headers to read. */
	client = moving->family == AF_INET ? mix(moving->dst_ip4)
		: fold(moving->dst_ip6[0], moving->dst_ip6[1], moving->dst_ip6[2], moving->dst_ip6[3]);
	return serve(ctx, client, true, was_pulse(moving));
}

SEC("sk_reuseport")
int standby_select(struct sk_reuseport_md *ctx)
{
	return serve(ctx, 0, false, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
