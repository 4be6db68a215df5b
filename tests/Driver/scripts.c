/* SPDX-License-Identifier: Apache-2.0 */
/* What a row does: its script as plans. */
#include "rows.h"

/* A row keeps to one CPU, but the slots of a per-CPU value are all written, in turns. */
static uint32_t cpu_of_step(const struct map *map, uint32_t step)
{
	return cpu_number(map->per_cpu ? (step / 8) % cpu_count() : (uint32_t)map->name[0] % cpu_count());
}

static struct plan *prefill(const struct map *map, uint32_t keys, uint64_t seed)
{
	struct plan *plan = new_plan(map, BY_SYSCALL, CALL_ELEMENT, keys, keys, seed + 1);

	for (uint32_t key = 0; key < keys; key++)
		add_put(plan, key, BPF_ANY, cpu_of_step(map, 0));
	return plan;
}

static struct job updates(const struct row *row, const struct map *map, uint32_t count, uint64_t seed)
{
	struct job job = {.expected = count};
	bool array = is_array(map->shape.type), pointer = row->writer == BY_POINTER;
	uint32_t keys = array ? map->shape.entries : (count + 1) / 2;
	bool *present = allocate(keys, sizeof *present);
	struct plan *plan;

	if (pointer) { /* a pointer is had from an entry that is there */
		job.plans[job.plan_count++] = prefill(map, keys, seed);
		job.expected += keys;
	}
	plan = job.plans[job.plan_count++] = new_plan(map, row->writer, row->call, keys, count, seed);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t key = random_below(&plan->random, keys);
		uint64_t flags = BPF_ANY;

		/* Every fourth insists on what is true anyway; batches allow no such flags. */
		if (row->call == CALL_ELEMENT && i % 4 == 0)
			flags = present[key] || array ? BPF_EXIST : BPF_NOEXIST;
		present[key] = true;
		add_put(plan, key, flags, cpu_of_step(map, i));
	}
	free(present);
	return job;
}

static struct job deletes(const struct row *row, const struct map *map, uint32_t count, uint64_t seed)
{
	struct job job = {.plan_count = 2, .expected = 2 * count};
	uint32_t *order = allocate(count, sizeof *order);
	struct plan *plan;

	job.plans[0] = prefill(map, count, seed);
	plan = job.plans[1] = new_plan(map, row->writer, row->call, count, count, seed);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t other = random_below(&plan->random, i + 1);

		order[i] = order[other];
		order[other] = i;
	}
	/* lookup_and_delete_batch has an order of its own. */
	for (uint32_t i = 0; i < count && row->call != CALL_LOOKUP_DELETE_BATCH; i++)
		add_delete(plan, order[i], cpu_of_step(map, i));
	free(order);
	return job;
}

/*
 * Good operations and refused ones at random, until `count` were good. Twice as many keys as a
 * small map has entries, so that it is full again and again.
 */
static struct job refusals(const struct row *row, const struct map *map, uint32_t count, uint64_t seed)
{
	enum { KEYS = 128, UNKNOWN_FLAG = 1 << 8 };
	struct job job = {.plan_count = 1, .expected = count};
	bool array = is_array(map->shape.type), present[KEYS];
	struct plan *plan = job.plans[0] = new_plan(map, row->writer, row->call, KEYS, 100 * count + 100, seed);
	uint32_t good = 0, entries = 0, keep = array ? map->shape.entries : 0;

	for (uint32_t key = 0; key < KEYS; key++)
		present[key] = key < keep;
	for (uint32_t i = 0; good < count; i++) {
		uint32_t key = random_below(&plan->random, KEYS), cpu = cpu_of_step(map, i);
		bool full = array || entries >= map->shape.entries, works = false;

		switch (random_below(&plan->random, 7)) {
		case 0:
		case 1:
			add_put(plan, key, BPF_ANY, cpu);
			works = present[key] || !full; /* else E2BIG */
			break;
		case 2:
			add_put(plan, key, BPF_NOEXIST, cpu);
			works = !present[key] && !full; /* else EEXIST, E2BIG */
			break;
		case 3:
			add_put(plan, key, BPF_EXIST, cpu);
			works = present[key]; /* else ENOENT; an array: E2BIG */
			break;
		case 4:
			add_put(plan, key, UNKNOWN_FLAG, cpu); /* EINVAL */
			break;
		default:
			add_delete(plan, key, cpu);
			works = present[key] && !array; /* else ENOENT; an array: EINVAL */
			if (works) {
				present[key] = false;
				entries--;
				good++;
			}
			continue;
		}
		if (works) {
			entries += !present[key];
			present[key] = true;
			good++;
		}
	}
	/* An older trie (5.10) takes BPF_NOEXIST and BPF_EXIST for BPF_ANY: more changes, all of them events. */
	if (map->shape.type == BPF_MAP_TYPE_LPM_TRIE)
		job.expected = 0;
	return job;
}

static struct job full_batch(const struct row *row, const struct map *map, uint64_t seed)
{
	enum { BATCH = 40 };
	uint32_t entries = map->shape.entries;
	struct job job = {.plan_count = 1, .expected = entries + BATCH / 4 + BATCH};
	struct plan *plan = job.plans[0] = new_plan(map, row->writer, row->call, 4 * BATCH + entries, 5 * BATCH, seed);

	plan->batch = BATCH;
	for (uint32_t key = 0; key < 2 * BATCH; key++) /* the second batch ends at the map's last free entry */
		add_put(plan, key, BPF_ANY, cpu_number(0));
	for (uint32_t i = 0; i < BATCH; i++) /* a quarter are updates, then a new key; updates behind it are not reached */
		add_put(plan, i == BATCH / 4 ? 3 * BATCH : i, BPF_ANY, cpu_number(0));
	for (uint32_t key = 0; key < BATCH; key++)
		add_put(plan, key, BPF_ANY, cpu_number(0));
	return job;
}

static struct job absent_batch(const struct row *row, const struct map *map, uint64_t seed)
{
	enum { BATCH = 16, BATCHES = 4, BEFORE = 7 };
	struct job job = {.plan_count = 2, .expected = BATCH * BATCHES + BEFORE * BATCHES};
	struct plan *plan;

	job.plans[0] = prefill(map, BATCH * BATCHES, seed);
	plan = job.plans[1] = new_plan(map, row->writer, row->call, BATCH * BATCHES + 1, BATCH * BATCHES, seed);
	plan->batch = BATCH;
	for (uint32_t i = 0; i < BATCH * BATCHES; i++)
		add_delete(plan, i % BATCH == BEFORE ? BATCH * BATCHES : i, cpu_number(0));
	return job;
}

static struct job evictions(const struct row *row, const struct map *map, uint32_t count, uint64_t seed)
{
	uint32_t puts = count > 4 * map->shape.entries ? count : 4 * map->shape.entries;
	struct job job = {.plan_count = 1, .expected = puts, .certainty = EVICTING};
	struct plan *plan = job.plans[0] = new_plan(map, row->writer, row->call, puts, puts, seed);

	/* Never a key twice: every put is an add, and the map's evictions are all that is not known. */
	for (uint32_t key = 0; key < puts; key++)
		add_put(plan, key, BPF_ANY, cpu_number((key / 64) % cpu_count()));
	return job;
}

static struct job few_keys(const struct row *row, const struct map *map, uint32_t count, uint64_t seed)
{
	struct job job = {.plan_count = 1, .expected = count};
	struct plan *plan = job.plans[0] = new_plan(map, row->writer, row->call, 4, count, seed);

	for (uint32_t i = 0; i + 1 < count; i++)
		add_put(plan, i % 4, BPF_ANY, cpu_of_step(map, i));
	add_delete(plan, 0, cpu_of_step(map, count));
	return job;
}

static struct job slots(const struct row *row, const struct map *map, uint32_t count, uint64_t seed)
{
	struct job job = {.plan_count = 1, .expected = count};
	uint32_t keys = is_array(map->shape.type) ? map->shape.entries : (count + 1) / 2;
	struct plan *plan = job.plans[0] = new_plan(map, row->writer, row->call, keys, count, seed);

	plan->value_size = map->slot_bytes;
	for (uint32_t i = 0; i < count; i++) {
		/* The slot written need not be the writer's; batches have one for all their entries. */
		uint64_t slot = i / 16 % libbpf_num_possible_cpus();
		uint64_t flags = row->script == ONE_CPU ? slot << 32 | ONE_CPU_FLAG : ALL_CPUS_FLAG;

		add_put(plan, random_below(&plan->random, keys), flags, cpu_number(0));
	}
	return job;
}

/*
 * Each prefix is put with one tail, then with another: to the trie they are one key, and it keeps
 * the bytes that came last. Whoever compares keys byte by byte finds two.
 */
static struct job loose(const struct row *row, const struct map *map, uint32_t count, uint64_t seed)
{
	struct job job = {.plan_count = 1, .expected = count, .certainty = UNKNOWN};
	uint32_t prefixes = (count + 3) / 4, prefix_bits = 32;
	struct plan *plan = job.plans[0] = new_plan(map, row->writer, row->call, 2 * prefixes, count, seed);

	for (uint32_t key = 0; key < 2 * prefixes; key++) {
		uint8_t *bytes = plan_key(plan, key);

		make_key(map, key / 2, bytes);
		memcpy(bytes, &prefix_bits, sizeof prefix_bits);
		random_bytes(key, bytes + 8, plan->key_size - 8);
	}
	for (uint32_t i = 0; i < count; i++)
		add_put(plan, random_below(&plan->random, 2 * prefixes), BPF_ANY, cpu_of_step(map, i));
	return job;
}

struct job plan_row(const struct row *row, const struct map *map, uint32_t count, uint64_t seed)
{
	seed = seed_of(row->name, seed);
	if (row->most && count > row->most)
		count = row->most;
	switch (row->script) {
	case UPDATES:
		return updates(row, map, count, seed);
	case DELETES:
		return deletes(row, map, count, seed);
	case REFUSALS:
		return refusals(row, map, count, seed);
	case FULL_BATCH:
		return full_batch(row, map, seed);
	case ABSENT_BATCH:
		return absent_batch(row, map, seed);
	case EVICTIONS:
		return evictions(row, map, count, seed);
	case FEW_KEYS:
		return few_keys(row, map, count, seed);
	case ONE_CPU:
	case ALL_CPUS:
		return slots(row, map, count, seed);
	case LOOSE:
		return loose(row, map, count, seed);
	}
	die("row %s has no script", row->name);
}
