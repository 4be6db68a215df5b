/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapdriver: makes map changes in every way the kernel has, and says exactly which.
 *
 *   words.c     errors, hex, random numbers
 *   map.c       one map under test: create, pin, read everything
 *   model.c     what a map must hold after the changes
 *   plan.c      lists of intended changes
 *   scripts.c   what a row does, as plans
 *   program.c   plans carried out by BPF programs
 *   syscalls.c  plans carried out by bpf(2) and by mmap
 *   record.c    the files: rows.txt, changes.txt, one dump per map
 *   rows.c      the table of rows: writer x operation x map type
 *   run.c       the sub-commands rows and born
 *   storm.c     the sub-command storm
 *   bench.c     the sub-command bench-free
 *   bench_batch.c  the sub-command bench-batch
 */
#ifndef DRIVER_H
#define DRIVER_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "step.h"

#define ENOTSUPP_KERNEL 524 /* the kernel's own, unknown to libc */

/*
 * Update flags of the newest kernels for per-CPU maps: the value given is one slot, for the CPU in the
 * upper half of the flags, or for every CPU. The headers here do not have them yet.
 */
#define ONE_CPU_FLAG 8u
#define ALL_CPUS_FLAG 16u

/* --- words.c --- */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
const char *errno_name(int error);
void *allocate(size_t count, size_t size);
void write_hex(FILE *file, const void *bytes, size_t count);
uint64_t seed_of(const char *name, uint64_t seed);
uint64_t random64(uint64_t *state);
uint32_t random_below(uint64_t *state, uint32_t bound);
void random_bytes(uint64_t seed, void *bytes, size_t count);
double seconds_now(void);
int cpu_count(void);         /* CPUs this process may run on */
int cpu_number(int ordinal); /* the ordinal-th of them */
void pin_to_cpu(int cpu);

/* --- map.c --- */
struct shape {
	enum bpf_map_type type;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t entries;
	uint32_t flags;
};

struct map {
	char name[BPF_OBJ_NAME_LEN];
	struct shape shape;
	int fd;
	bool per_cpu;
	size_t value_bytes; /* what bpf(2) reads and writes: per-CPU kinds hold a slot for each possible CPU */
	size_t slot_bytes;  /* one CPU's part of it */
};

int create_map(struct map *map, const char *name, struct shape shape); /* 0 or -errno */
void pin_map(struct map *map, const char *folder);
void close_map(struct map *map);
bool is_array(enum bpf_map_type type);
bool is_lru(enum bpf_map_type type);
const char *type_name(enum bpf_map_type type);

/* All entries, sorted by key bytes. Only for a map that nobody writes. */
struct content {
	size_t count;
	uint8_t *entries; /* key, then value_bytes */
	size_t stride;
};
struct content read_content(const struct map *map);

/* --- model.c --- */
struct model;
struct model *new_model(const struct map *map);
void free_model(struct model *model);
uint8_t *model_find(struct model *model, const void *key); /* NULL: absent */
uint8_t *model_put(struct model *model, const void *key);  /* zeros if it was absent */
void model_delete(struct model *model, const void *key);
size_t model_count(const struct model *model);

/* --- plan.c --- */
enum writer { BY_XDP, BY_TC, BY_KPROBE, BY_PERF_EVENT, BY_TRACEPOINT, BY_FENTRY, BY_POINTER, BY_SYSCALL, BY_MMAP };
enum call { CALL_ELEMENT, CALL_LOOKUP_DELETE, CALL_BATCH, CALL_LOOKUP_DELETE_BATCH };

struct plan {
	enum writer writer;
	enum call call;
	uint32_t batch;    /* entries per batch call */
	uint32_t key_size;
	size_t value_size; /* one CPU's for programs, all of them for bpf(2) */
	uint8_t *keys, *values;
	uint32_t key_count, value_count;
	struct step *steps;
	uint32_t step_count, step_room;
	uint64_t random;
};

struct plan *new_plan(const struct map *map, enum writer writer, enum call call, uint32_t keys, uint32_t steps, uint64_t seed);
void free_plan(struct plan *plan);
void make_key(const struct map *map, uint32_t number, void *key); /* the number-th key of this map; all differ */
struct step *add_put(struct plan *plan, uint32_t key, uint64_t flags, uint32_t cpu); /* with a value of its own */
struct step *add_delete(struct plan *plan, uint32_t key, uint32_t cpu);
uint8_t *plan_key(const struct plan *plan, uint32_t index);
uint8_t *plan_value(const struct plan *plan, uint32_t index);
const char *writer_name(enum writer writer);
const char *call_name(const struct plan *plan, enum step_kind kind);

/* --- program.c, syscalls.c --- */
enum outcome { RAN, UNSUPPORTED, FAILED };
#define REASON_BYTES 256

struct program;
bool is_program(enum writer writer);
/* Loads and attaches, without making a change yet. NULL: this kernel cannot, and reason says why. */
struct program *load_program(const struct map *map, struct plan *plan, char *reason);
enum outcome run_program(struct program *program, char *reason); /* fills the steps' results */
void free_program(struct program *program);
enum outcome run_syscalls(const struct map *map, struct plan *plan, char *reason);
/* Between two calls of a run: called on the thread that runs it, where it has one. */
extern __thread void (*between_calls)(void);

/* --- record.c --- */
/* How far the order and the result are known from the writers alone; see mapdriver --help. */
enum certainty { EXACT, PER_KEY, EVICTING, UNKNOWN };

void open_record(const char *folder);
void close_record(void);
/* Writes the changes of a plan that was carried out and folds them into the model; returns how many. */
uint32_t record_changes(const struct map *map, const struct plan *plan, struct model *model, enum certainty certainty);
void record_row(const char *name, const struct map *map, enum outcome outcome, enum certainty certainty, const char *way,
		uint32_t changes, uint32_t refused, const char *note);
/* Writes the map's dump; false, and a reason, if it is not what the changes lead to. */
bool record_dump(const struct map *map, struct model *model, enum certainty certainty, char *reason);
int failed_rows(void);

/* --- sub-commands --- */
struct options {
	const char *out, *pin, *only[32], *map_name, *ring;
	int only_count;
	uint32_t count, shared_keys, generations, keys, key_size, value_size, maps, batch;
	double rate, seconds;
	uint64_t seed;
	bool stepwise;
};
/* With --stepwise: says the word on stdout and waits for a line on stdin. */
void meet(const struct options *options, const char *word);
int list_command(const struct options *options);
int rows_command(const struct options *options);
int born_command(const struct options *options);
int storm_command(const struct options *options);
int bench_free_command(const struct options *options);
int bench_batch_command(const struct options *options);

#endif
