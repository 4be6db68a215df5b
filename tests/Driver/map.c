/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <unistd.h>

bool is_array(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

bool is_lru(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_per_cpu(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

const char *type_name(enum bpf_map_type type)
{
	const char *name = libbpf_bpf_map_type_str(type);

	return name ? name : "unknown";
}

int create_map(struct map *map, const char *name, struct shape shape)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = shape.flags);

	if (strlen(name) >= sizeof map->name)
		die("the map name %s is longer than the kernel's 15 characters", name);
	memset(map, 0, sizeof *map);
	strcpy(map->name, name);
	map->shape = shape;
	map->per_cpu = is_per_cpu(shape.type);
	map->slot_bytes = map->per_cpu ? (shape.value_size + 7) & ~7u : shape.value_size;
	map->value_bytes = map->per_cpu ? map->slot_bytes * libbpf_num_possible_cpus() : shape.value_size;
	map->fd = bpf_map_create(shape.type, name, shape.key_size, shape.value_size, shape.entries, &options);
	return map->fd < 0 ? map->fd : 0;
}

void pin_map(struct map *map, const char *folder)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", folder, map->name);
	unlink(path); /* an earlier run's, or an earlier generation's */
	int error = bpf_obj_pin(map->fd, path);
	if (error)
		die("cannot pin map %s at %s: %s", map->name, path, errno_name(error));
}

void close_map(struct map *map)
{
	if (map->fd >= 0)
		close(map->fd);
	map->fd = -1;
}

static size_t compared_bytes;

static int by_key(const void *one, const void *other)
{
	return memcmp(one, other, compared_bytes);
}

struct content read_content(const struct map *map)
{
	struct content content = {.stride = map->shape.key_size + map->value_bytes};
	uint8_t *key = allocate(1, map->shape.key_size), *next = allocate(1, map->shape.key_size);
	size_t room = 0;
	bool first = true;

	while (bpf_map_get_next_key(map->fd, first ? NULL : key, next) == 0) {
		if (content.count == room) {
			room = room ? 2 * room : 16;
			content.entries = realloc(content.entries, room * content.stride);
			if (!content.entries)
				die("no memory for the content of map %s", map->name);
		}
		uint8_t *entry = content.entries + content.count * content.stride;
		memcpy(entry, next, map->shape.key_size);
		int error = bpf_map_lookup_elem(map->fd, next, entry + map->shape.key_size);
		if (error)
			die("cannot look up a key of map %s that get_next_key gave: %s", map->name, errno_name(error));
		memcpy(key, next, map->shape.key_size);
		first = false;
		content.count++;
	}
	compared_bytes = map->shape.key_size;
	if (content.count)
		qsort(content.entries, content.count, content.stride, by_key);
	free(key);
	free(next);
	return content;
}
