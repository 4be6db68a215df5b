/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROWS_H
#define ROWS_H

#include "driver.h"

enum script {
	UPDATES,      /* count puts over count / 2 keys */
	DELETES,      /* count adds by bpf(2), then count deletes */
	REFUSALS,     /* count changes among as many operations that the kernel refuses */
	FULL_BATCH,   /* update batches that meet the end of the map midway */
	ABSENT_BATCH, /* delete batches that meet an absent key midway */
	EVICTIONS,    /* more adds than an LRU map can hold */
	FEW_KEYS,     /* a few puts over four keys, then a delete */
	ONE_CPU,      /* bpf(2) updates of single slots of per-CPU values */
	ALL_CPUS,     /* bpf(2) updates of all slots with one slot's value */
	LOOSE,        /* LPM keys that differ only behind their prefix */
};

struct row {
	char name[BPF_OBJ_NAME_LEN]; /* also its map's */
	struct shape shape;
	enum writer writer;
	enum call call;
	enum script script;
	uint32_t most; /* at most so many changes, for sizes that would fill the disk; 0: no bound */
	bool born;     /* its map is created right before its first change */
};

struct job {
	struct plan *plans[2]; /* carried out one after the other */
	int plan_count;
	uint32_t expected; /* changes, if everything goes as planned; 0: the kernel's version decides */
	enum certainty certainty;
};

/* All rows for that many changes; the caller frees the array. */
struct row *all_rows(uint32_t count, size_t *row_count);
struct job plan_row(const struct row *row, const struct map *map, uint32_t count, uint64_t seed);

#endif
