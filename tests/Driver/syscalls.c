/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <sys/mman.h>
#include <unistd.h>

/* What bpf(2) says when the kernel, or this map type, has no such operation at all. */
static bool no_such_operation(int error)
{
	return error == -EINVAL || error == -EOPNOTSUPP || error == -ENOTSUPP_KERNEL;
}

static enum outcome elements(const struct map *map, struct plan *plan, char *reason)
{
	void *value = allocate(1, map->value_bytes);
	enum outcome outcome = RAN;

	for (uint32_t i = 0; i < plan->step_count; i++) {
		struct step *step = &plan->steps[i];
		void *key = plan_key(plan, step->key);

		pin_to_cpu(step->cpu);
		if (step->kind == STEP_PUT)
			step->result = bpf_map_update_elem(map->fd, key, plan_value(plan, step->value), step->flags);
		else if (plan->call == CALL_LOOKUP_DELETE)
			step->result = bpf_map_lookup_and_delete_elem(map->fd, key, value);
		else
			step->result = bpf_map_delete_elem(map->fd, key);
		bool may_be_unknown = plan->call == CALL_LOOKUP_DELETE || step->flags & (ONE_CPU_FLAG | ALL_CPUS_FLAG);
		if (i == 0 && may_be_unknown && no_such_operation(step->result)) {
			snprintf(reason, REASON_BYTES, "bpf(2) %s, flags 0x%llx: %s", call_name(plan, step->kind),
				 (unsigned long long)step->flags, errno_name(step->result));
			outcome = UNSUPPORTED;
			break;
		}
		if (between_calls)
			between_calls();
	}
	free(value);
	return outcome;
}

/* Steps [from, to) in one call; what the kernel did not reach keeps STEP_NOT_TRIED. */
static int one_batch(const struct map *map, struct plan *plan, uint32_t from, uint32_t to)
{
	uint32_t count = to - from;
	uint8_t *keys = allocate(count, plan->key_size), *values = allocate(count, plan->value_size);
	LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = plan->steps[from].flags);
	int error;

	for (uint32_t i = 0; i < count; i++) {
		memcpy(keys + i * plan->key_size, plan_key(plan, plan->steps[from + i].key), plan->key_size);
		if (plan->steps[from].kind == STEP_PUT)
			memcpy(values + i * plan->value_size, plan_value(plan, plan->steps[from + i].value), plan->value_size);
	}
	if (plan->steps[from].kind == STEP_PUT)
		error = bpf_map_update_batch(map->fd, keys, values, &count, &options);
	else
		error = bpf_map_delete_batch(map->fd, keys, &count, &options);
	/* An unknown command leaves the count as it was. */
	if (error && from + count >= to)
		count = 0;
	for (uint32_t i = 0; i < count; i++)
		plan->steps[from + i].result = 0;
	if (error)
		plan->steps[from + count].result = error;
	free(keys);
	free(values);
	return error;
}

static enum outcome batches(const struct map *map, struct plan *plan, char *reason)
{
	for (uint32_t from = 0, to; from < plan->step_count; from = to) {
		const struct step *first = &plan->steps[from];

		for (to = from + 1; to < plan->step_count && to - from < plan->batch; to++)
			if (plan->steps[to].kind != first->kind || plan->steps[to].flags != first->flags || plan->steps[to].cpu != first->cpu)
				break;
		pin_to_cpu(first->cpu);
		int error = one_batch(map, plan, from, to);
		if (between_calls)
			between_calls();
		if (from == 0 && no_such_operation(error)) {
			snprintf(reason, REASON_BYTES, "bpf(2) %s, flags 0x%llx: %s", call_name(plan, first->kind),
				 (unsigned long long)first->flags, errno_name(error));
			return UNSUPPORTED;
		}
	}
	return RAN;
}

/* Empties the map. The kernel chooses the order, so the steps are written down as they come out. */
static enum outcome take_everything(const struct map *map, struct plan *plan, char *reason)
{
	uint32_t in, out, room = plan->batch, count;
	uint8_t *keys = allocate(plan->step_room, plan->key_size), *values = allocate(plan->step_room, map->value_bytes);
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	bool first = true;
	enum outcome outcome = RAN;
	int error;

	do {
		count = room;
		error = bpf_map_lookup_and_delete_batch(map->fd, first ? NULL : &in, &out, keys, values, &count, &options);
		if (error == -ENOSPC && room < plan->step_room) { /* one bucket holds more than fits */
			room = 2 * room < plan->step_room ? 2 * room : plan->step_room;
			continue;
		}
		if (error && error != -ENOENT) {
			outcome = first && no_such_operation(error) ? UNSUPPORTED : FAILED;
			snprintf(reason, REASON_BYTES, "bpf(2) lookup_and_delete_batch: %s", errno_name(error));
			break;
		}
		for (uint32_t i = 0; i < count; i++) {
			uint32_t key = plan->step_count;

			memcpy(plan_key(plan, key), keys + i * plan->key_size, plan->key_size);
			add_delete(plan, key, 0)->result = 0;
		}
		in = out;
		first = false;
	} while (error != -ENOENT);
	free(keys);
	free(values);
	return outcome;
}

/* Writes into a mapped array: no system call at all. */
static enum outcome stores(const struct map *map, struct plan *plan, char *reason)
{
	size_t stride = (map->shape.value_size + 7) & ~7u, page = sysconf(_SC_PAGESIZE);
	size_t bytes = (map->shape.entries * stride + page - 1) & ~(page - 1);
	uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);

	if (memory == MAP_FAILED) {
		snprintf(reason, REASON_BYTES, "mmap of the array: %s", errno_name(errno));
		return UNSUPPORTED;
	}
	for (uint32_t i = 0; i < plan->step_count; i++) {
		uint32_t index;

		memcpy(&index, plan_key(plan, plan->steps[i].key), sizeof index);
		memcpy(memory + index * stride, plan_value(plan, plan->steps[i].value), plan->value_size);
		plan->steps[i].result = 0;
	}
	munmap(memory, bytes);
	return RAN;
}

enum outcome run_syscalls(const struct map *map, struct plan *plan, char *reason)
{
	if (plan->writer == BY_MMAP)
		return stores(map, plan, reason);
	if (plan->call == CALL_LOOKUP_DELETE_BATCH)
		return take_everything(map, plan, reason);
	return plan->call == CALL_BATCH ? batches(map, plan, reason) : elements(map, plan, reason);
}
