/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <sys/stat.h>
#include <sys/utsname.h>

static const char *out;
static FILE *rows, *changes;
static int failed;

static FILE *create_file(const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", out, name);
	FILE *file = fopen(path, "w");
	if (!file)
		die("cannot write %s: %s", path, errno_name(errno));
	return file;
}

static void finish_file(FILE *file)
{
	if (ferror(file) || fclose(file))
		die("cannot write into %s: %s", out, errno_name(errno));
}

void open_record(const char *folder)
{
	struct utsname kernel;

	out = folder;
	if (mkdir(folder, 0777) && errno != EEXIST)
		die("cannot make the folder %s: %s", folder, errno_name(errno));
	rows = create_file("rows.txt");
	changes = create_file("changes.txt");
	uname(&kernel);
	fprintf(rows, "#kernel\t%s\tpossible_cpus\t%d\tused_cpus\t%d\n", kernel.release, libbpf_num_possible_cpus(), cpu_count());
	fprintf(rows, "#row\tcertainty\tway\ttype\tkey_size\tvalue_size\tvalue_bytes\tentries\tflags\tchanges\trefused\tnote\n");
}

void close_record(void)
{
	finish_file(rows);
	finish_file(changes);
}

/* The whole value after the step: a program writes its own CPU's slot, bpf(2) all of them, or what its flags say. */
static uint8_t *fold_put(const struct map *map, const struct plan *plan, const struct step *step, struct model *model)
{
	uint8_t *value = model_put(model, plan_key(plan, step->key));
	const uint8_t *from = plan_value(plan, step->value);

	if (map->per_cpu && is_program(plan->writer))
		memcpy(value + step->cpu * map->slot_bytes, from, plan->value_size);
	else if (step->flags & ONE_CPU_FLAG)
		memcpy(value + (step->flags >> 32) * map->slot_bytes, from, plan->value_size);
	else if (step->flags & ALL_CPUS_FLAG)
		for (size_t at = 0; at < map->value_bytes; at += map->slot_bytes)
			memcpy(value + at, from, plan->value_size);
	else
		memcpy(value, from, plan->value_size);
	return value;
}

uint32_t record_changes(const struct map *map, const struct plan *plan, struct model *model, enum certainty certainty)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];
		const uint8_t *key = plan_key(plan, step->key), *value = NULL;
		const char *word = "delete";

		if (step->result != 0)
			continue;
		done++;
		if (step->kind == STEP_PUT) {
			bool known = model_find(model, key) != NULL;

			value = fold_put(map, plan, step, model);
			word = known ? "update" : "add";
			/* The key may have been evicted, or deleted by another writer, in between. */
			if (certainty == UNKNOWN || (certainty == EVICTING && known))
				word = "put";
		} else {
			model_delete(model, key);
		}
		fprintf(changes, "%s\t%s\t", map->name, word);
		write_hex(changes, key, map->shape.key_size);
		fputc('\t', changes);
		if (value)
			write_hex(changes, value, map->value_bytes);
		else
			fputc('-', changes);
		fprintf(changes, "\t%s.%s\n", writer_name(plan->writer), call_name(plan, step->kind));
	}
	return done;
}

void record_row(const char *name, const struct map *map, enum outcome outcome, enum certainty certainty, const char *way,
		uint32_t done, uint32_t refused, const char *note)
{
	static const char *const certainties[] = {
		[EXACT] = "exact", [PER_KEY] = "per-key", [EVICTING] = "evicting", [UNKNOWN] = "unknown",
	};
	const char *result = outcome == RAN ? certainties[certainty] : outcome == UNSUPPORTED ? "unsupported" : "failed";

	fprintf(rows, "%s\t%s\t%s\t%s\t%u\t%u\t%zu\t%u\t%u\t%u\t%u\t%s\n", name, result, way, type_name(map->shape.type),
		map->shape.key_size, map->shape.value_size, map->value_bytes, map->shape.entries, map->shape.flags, done, refused,
		*note ? note : "-");
	if (outcome == RAN)
		return;
	fprintf(stderr, "%-15s %s: %s\n", name, result, note);
	if (outcome == FAILED)
		failed++;
}

int failed_rows(void)
{
	return failed;
}

bool record_dump(const struct map *map, struct model *model, enum certainty certainty, char *reason)
{
	char name[64];
	struct content content = read_content(map);
	size_t wrong = 0;

	snprintf(name, sizeof name, "%s.dump", map->name);
	FILE *dump = create_file(name);
	for (size_t i = 0; i < content.count; i++) {
		const uint8_t *key = content.entries + i * content.stride, *value = key + map->shape.key_size;
		const uint8_t *expected = model_find(model, key);

		write_hex(dump, key, map->shape.key_size);
		fputc('\t', dump);
		write_hex(dump, value, map->value_bytes);
		fputc('\n', dump);
		if (!expected || memcmp(expected, value, map->value_bytes))
			wrong++;
	}
	finish_file(dump);
	free(content.entries);
	if (certainty == UNKNOWN)
		return true;
	bool missing = certainty == EVICTING ? content.count > model_count(model) : content.count != model_count(model);
	if (wrong || missing) {
		snprintf(reason, REASON_BYTES, "the map holds %zu entries, the changes lead to %zu; %zu are other than the changes say",
			 content.count, model_count(model), wrong);
		return false;
	}
	return true;
}
