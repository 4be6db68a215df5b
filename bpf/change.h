/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One change, from a hook on a map operation. */
#ifndef MAPLOG_CHANGE_H
#define MAPLOG_CHANGE_H

#define IS_SET(flags, flag) (((flags) & (flag)) != 0)

/* Later kernels' flags of a per-CPU update: the value is of one CPU (its number in the high half), or for all. */
#define UPDATE_ONE_CPU 8
#define UPDATE_ALL_CPUS 16

/* Fills in the map from a pointer that the verifier does not know, or (fexit, faster) does. */
static __always_inline void target_of(struct target *t, struct bpf_map *map)
{
	t->map = map;
	t->id = BPF_CORE_READ(map, id);
	/* One read where the kernel has the three side by side, as all so far have. */
	if (bpf_core_field_offset(struct bpf_map, key_size) == bpf_core_field_offset(struct bpf_map, map_type) + 4 &&
	    bpf_core_field_offset(struct bpf_map, value_size) == bpf_core_field_offset(struct bpf_map, map_type) + 8) {
		bpf_core_read(&t->type, 3 * sizeof(t->type), &map->map_type);
	} else {
		t->type = BPF_CORE_READ(map, map_type);
		t->key_size = BPF_CORE_READ(map, key_size);
		t->value_size = BPF_CORE_READ(map, value_size);
	}
	t->verdict = verdict_of(t->id);
}

#define TARGET(m, v) { .map = (m), .id = (m)->id, .type = (m)->map_type, \
		       .key_size = (m)->key_size, .value_size = (m)->value_size, .verdict = (v) }

static __always_inline void change(struct change *c, __u8 operation, __u8 origin, const void *key, const void *value)
{
	c->operation = operation;
	c->origin = origin;
	c->task = current_task();
	if (origin == MAPLOG_BY_SYSCALL && is_replicator(c->task))
		return;
	c->key = key;
	c->key_bytes = c->t.key_size;
	c->value = value;
	c->value_bytes = c->value_size;
	c->count = 1;
	emit(c);
}

/* The value of an update: whole, or of a per-CPU map one CPU's when a program writes. */
static __always_inline void size_value(struct change *c, bool one_cpu, __u64 update_flags)
{
	c->value_size = c->t.value_size;
	if (!is_per_cpu(c->t.type))
		return;
	if (one_cpu) {
		c->flags = MAPLOG_ONE_CPU;
		c->value_cpu = bpf_get_smp_processor_id();
	} else if (IS_SET(update_flags, UPDATE_ONE_CPU)) {
		c->flags = MAPLOG_ONE_CPU;
		c->value_cpu = update_flags >> 32;
	} else if (IS_SET(update_flags, UPDATE_ALL_CPUS)) {
		c->flags = MAPLOG_ALL_CPUS;
	} else {
		c->value_size = whole_value(&c->t);
	}
}

static __always_inline const void *key_of_node(void *node)
{
	return node - bpf_core_field_offset(struct htab_elem, lru_node) + bpf_core_field_offset(struct htab_elem, key);
}

#endif
