/* SPDX-License-Identifier: Apache-2.0 */
/* A plain chained hash table of whole entries. */
#include "driver.h"

struct entry {
	struct entry *next;
	uint8_t bytes[]; /* key, then value */
};

struct model {
	size_t key_size, value_bytes, count;
	struct entry *buckets[1 << 14];
};

struct model *new_model(const struct map *map)
{
	struct model *model = allocate(1, sizeof *model);

	model->key_size = map->shape.key_size;
	model->value_bytes = map->value_bytes;
	/* An array's entries are all there from the beginning, zeroed. */
	for (uint32_t index = 0; is_array(map->shape.type) && index < map->shape.entries; index++)
		model_put(model, &index);
	return model;
}

static struct entry **place_of(struct model *model, const void *key)
{
	const uint8_t *byte = key;
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < model->key_size; i++)
		hash = (hash ^ byte[i]) * 16777619u;
	struct entry **place = &model->buckets[hash >> 18];
	while (*place && memcmp((*place)->bytes, key, model->key_size))
		place = &(*place)->next;
	return place;
}

uint8_t *model_find(struct model *model, const void *key)
{
	struct entry *entry = *place_of(model, key);

	return entry ? entry->bytes + model->key_size : NULL;
}

uint8_t *model_put(struct model *model, const void *key)
{
	struct entry **place = place_of(model, key);

	if (!*place) {
		*place = allocate(1, sizeof **place + model->key_size + model->value_bytes);
		memcpy((*place)->bytes, key, model->key_size);
		model->count++;
	}
	return (*place)->bytes + model->key_size;
}

void model_delete(struct model *model, const void *key)
{
	struct entry **place = place_of(model, key), *gone = *place;

	if (!gone)
		return;
	*place = gone->next;
	free(gone);
	model->count--;
}

size_t model_count(const struct model *model)
{
	return model->count;
}

void free_model(struct model *model)
{
	for (size_t i = 0; i < sizeof model->buckets / sizeof *model->buckets; i++) {
		while (model->buckets[i]) {
			struct entry *gone = model->buckets[i];

			model->buckets[i] = gone->next;
			free(gone);
		}
	}
	free(model);
}
