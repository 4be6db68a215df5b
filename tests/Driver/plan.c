/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

struct plan *new_plan(const struct map *map, enum writer writer, enum call call, uint32_t keys, uint32_t steps, uint64_t seed)
{
	struct plan *plan = allocate(1, sizeof *plan);

	plan->writer = writer;
	plan->call = call;
	plan->batch = 64;
	plan->key_size = map->shape.key_size;
	plan->value_size = is_program(writer) ? map->shape.value_size : map->value_bytes;
	plan->keys = allocate(keys, plan->key_size);
	plan->key_count = keys;
	plan->steps = allocate(steps, sizeof *plan->steps);
	/* A kernel that does not know the one-slot flags reads a whole value before it refuses. */
	plan->values = allocate(steps + libbpf_num_possible_cpus(), plan->value_size);
	plan->step_room = steps;
	plan->random = seed;
	for (uint32_t number = 0; number < keys; number++)
		make_key(map, number, plan_key(plan, number));
	return plan;
}

void free_plan(struct plan *plan)
{
	if (!plan)
		return;
	free(plan->keys);
	free(plan->values);
	free(plan->steps);
	free(plan);
}

void make_key(const struct map *map, uint32_t number, void *key)
{
	uint8_t *bytes = key;
	uint32_t size = map->shape.key_size;

	if (is_array(map->shape.type)) {
		memcpy(key, &number, sizeof number);
		return;
	}
	if (map->shape.type == BPF_MAP_TYPE_LPM_TRIE) {
		/* Its number in the first 32 bits, a prefix of 32 bits or more, nothing behind the prefix. */
		uint32_t bits = 8 * (size - 4), prefix = bits <= 32 ? 32 : 32 + number % (bits - 31);

		memcpy(bytes, &prefix, sizeof prefix);
		random_bytes(number, bytes + 4, size - 4);
		for (int i = 0; i < 4; i++)
			bytes[4 + i] = number >> (24 - 8 * i);
		for (uint32_t bit = prefix; bit < bits; bit++)
			bytes[4 + bit / 8] &= ~(0x80 >> bit % 8);
		return;
	}
	random_bytes(seed_of(map->name, number), key, size);
	memcpy(key, &number, size < sizeof number ? size : sizeof number);
}

static struct step *add_step(struct plan *plan, enum step_kind kind, uint32_t key, uint32_t cpu)
{
	if (plan->step_count == plan->step_room)
		die("a plan was made for %u steps and got one more", plan->step_room);
	struct step *step = &plan->steps[plan->step_count++];
	*step = (struct step){.kind = kind, .key = key, .cpu = cpu, .result = STEP_NOT_TRIED};
	return step;
}

struct step *add_put(struct plan *plan, uint32_t key, uint64_t flags, uint32_t cpu)
{
	struct step *step = add_step(plan, STEP_PUT, key, cpu);

	step->flags = flags;
	step->value = plan->value_count++;
	random_bytes(random64(&plan->random), plan_value(plan, step->value), plan->value_size);
	return step;
}

struct step *add_delete(struct plan *plan, uint32_t key, uint32_t cpu)
{
	return add_step(plan, STEP_DELETE, key, cpu);
}

uint8_t *plan_key(const struct plan *plan, uint32_t index)
{
	return plan->keys + (size_t)index * plan->key_size;
}

uint8_t *plan_value(const struct plan *plan, uint32_t index)
{
	return plan->values + (size_t)index * plan->value_size;
}

const char *writer_name(enum writer writer)
{
	static const char *const names[] = {
		[BY_XDP] = "xdp", [BY_TC] = "tc", [BY_KPROBE] = "kprobe", [BY_PERF_EVENT] = "perf_event",
		[BY_TRACEPOINT] = "tracepoint", [BY_FENTRY] = "fentry", [BY_POINTER] = "xdp", [BY_SYSCALL] = "syscall",
		[BY_MMAP] = "mmap",
	};

	return names[writer];
}

const char *call_name(const struct plan *plan, enum step_kind kind)
{
	if (plan->writer == BY_POINTER || plan->writer == BY_MMAP)
		return "pointer";
	switch (plan->call) {
	case CALL_LOOKUP_DELETE:
		return "lookup_and_delete";
	case CALL_LOOKUP_DELETE_BATCH:
		return "lookup_and_delete_batch";
	case CALL_BATCH:
		return kind == STEP_PUT ? "update_batch" : "delete_batch";
	default:
		return kind == STEP_PUT ? "update" : "delete";
	}
}
