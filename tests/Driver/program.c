/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "driver.h"

#include <linux/perf_event.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The BPF object travels inside the executable: one file to copy into a guest. */
__asm__(".section .rodata\n.global driver_object, driver_object_end\n.balign 8\n"
	"driver_object: .incbin \"" DRIVER_OBJECT "\"\ndriver_object_end:\n.previous\n");
extern const char driver_object[], driver_object_end[];

/* A trigger that does nothing for this long will not do anything any more. */
#define PATIENCE_SECONDS 60

struct program {
	struct plan *plan;
	struct bpf_object *object;
	struct bpf_program *program;
	struct bpf_link *link;
	struct progress *progress;
	struct step *script;
	size_t script_bytes, progress_bytes;
};

bool is_program(enum writer writer)
{
	return writer < BY_SYSCALL;
}

static const char *function_name(enum writer writer)
{
	static const char *const names[] = {
		[BY_XDP] = "xdp_step", [BY_TC] = "tc_step", [BY_KPROBE] = "kprobe_step", [BY_PERF_EVENT] = "perf_event_step",
		[BY_TRACEPOINT] = "tracepoint_step", [BY_FENTRY] = "fentry_step", [BY_POINTER] = "pointer_step",
	};

	return names[writer];
}

/* libbpf's own words are worth more than the errno, but only if something fails. */
static __thread char first_words[160];

static int keep_first_words(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_WARN && !first_words[0]) {
		vsnprintf(first_words, sizeof first_words, format, arguments);
		first_words[strcspn(first_words, "\n")] = 0;
	}
	return 0;
}

static struct program *refuse(struct program *program, char *reason, const char *doing, int error)
{
	snprintf(reason, REASON_BYTES, "%s: %s (%s)", doing, errno_name(error), first_words);
	free_program(program);
	return NULL;
}

static struct bpf_map *map_of(struct program *program, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(program->object, name);

	if (!map)
		die("the driver's BPF object has no map %s", name);
	return map;
}

/* An mmapable array: its content is laid out without a single bpf(2) call that a capture might see. */
static void *open_array(struct program *program, const char *name, size_t *bytes)
{
	struct bpf_map *map = map_of(program, name);
	size_t page = sysconf(_SC_PAGESIZE);

	*bytes = ((size_t)bpf_map__max_entries(map) * ((bpf_map__value_size(map) + 7) & ~7u) + page - 1) & ~(page - 1);
	void *memory = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (memory == MAP_FAILED)
		die("cannot map the array %s: %s", name, errno_name(errno));
	return memory;
}

static void fill_array(struct program *program, const char *name, const uint8_t *rows, uint32_t count, size_t size)
{
	size_t bytes, stride = (size + 7) & ~(size_t)7;
	uint8_t *memory = open_array(program, name, &bytes);

	for (uint32_t row = 0; row < count; row++)
		memcpy(memory + row * stride, rows + row * size, size);
	munmap(memory, bytes);
}

static void set_size(struct program *program, const char *name, uint32_t entries, size_t value_size)
{
	struct bpf_map *map = map_of(program, name);

	if (bpf_map__set_max_entries(map, entries ? entries : 1) || bpf_map__set_value_size(map, value_size))
		die("cannot set the size of the array %s", name);
}

struct program *load_program(const struct map *map, struct plan *plan, char *reason)
{
	struct program *program = allocate(1, sizeof *program);
	struct bpf_program *other;
	int error;

	program->plan = plan;
	first_words[0] = 0;
	libbpf_set_print(keep_first_words);
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "mapdriver");
	program->object = bpf_object__open_mem(driver_object, driver_object_end - driver_object, &options);
	if (!program->object)
		die("cannot open the driver's own BPF object: %s", errno_name(errno));
	/* One program alone: what the kernel says about the others does not matter here. */
	bpf_object__for_each_program(other, program->object)
		bpf_program__set_autoload(other, !strcmp(bpf_program__name(other), function_name(plan->writer)));
	program->program = bpf_object__find_program_by_name(program->object, function_name(plan->writer));
	set_size(program, "drv_script", plan->step_count, sizeof(struct step));
	set_size(program, "drv_keys", plan->key_count, plan->key_size);
	set_size(program, "drv_values", plan->value_count, plan->value_size);
	error = bpf_map__reuse_fd(map_of(program, "target"), map->fd);
	if (error)
		return refuse(program, reason, "giving the map to the program", error);
	error = bpf_object__load(program->object);
	if (error)
		return refuse(program, reason, "loading the program", error);

	fill_array(program, "drv_keys", plan->keys, plan->key_count, plan->key_size);
	fill_array(program, "drv_values", plan->values, plan->value_count, plan->value_size);
	program->script = open_array(program, "drv_script", &program->script_bytes);
	memcpy(program->script, plan->steps, plan->step_count * sizeof *plan->steps);
	program->progress = open_array(program, ".bss", &program->progress_bytes);

	if (plan->writer == BY_KPROBE || plan->writer == BY_TRACEPOINT || plan->writer == BY_FENTRY) {
		program->link = bpf_program__attach(program->program);
		if (!program->link)
			return refuse(program, reason, "attaching the program", errno);
	}
	return program;
}

/* Samples this thread alone, wherever it runs. */
static int attach_to_samples(struct program *program, char *reason)
{
	struct perf_event_attr clock = {
		.size = sizeof clock, .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .freq = 1, .sample_freq = 2000,
	};
	int event = syscall(SYS_perf_event_open, &clock, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (event < 0) {
		snprintf(reason, REASON_BYTES, "opening a perf event: %s", errno_name(errno));
		return -1;
	}
	first_words[0] = 0;
	program->link = bpf_program__attach_perf_event(program->program, event); /* owns the event from here */
	if (!program->link) {
		snprintf(reason, REASON_BYTES, "attaching to a perf event: %s (%s)", errno_name(errno), first_words);
		close(event);
		return -1;
	}
	return 0;
}

/* Makes the program run, at least once or until the sampling clock has had a chance. */
static int trigger(struct program *program, uint32_t steps)
{
	static const uint8_t packet[64];

	switch (program->plan->writer) {
	case BY_XDP:
	case BY_TC:
	case BY_POINTER: {
		/*
		 * Many repeats would be one long system call, which a preemptible kernel interrupts in the middle of the
		 * program: no packet's program ever is. And a repeated XDP test run goes through the dispatcher, whose
		 * text is patched before and after: some 50 ms.
		 */
		int repeat = program->plan->writer == BY_TC ? (steps < 16 ? steps : 16) : 1;
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof packet, .repeat = repeat);
		return bpf_prog_test_run_opts(bpf_program__fd(program->program), &run);
	}
	case BY_PERF_EVENT:
		for (volatile int spin = 0; spin < 20000; spin++)
			;
		return 0;
	default:
		syscall(SYS_getpgid, 0);
		return 0;
	}
}

__thread void (*between_calls)(void);

enum outcome run_program(struct program *program, char *reason)
{
	struct plan *plan = program->plan;
	enum outcome outcome = RAN;

	first_words[0] = 0;
	if (plan->writer == BY_PERF_EVENT && attach_to_samples(program, reason))
		return UNSUPPORTED;
	program->progress->tid = syscall(SYS_gettid);
	for (uint32_t from = 0, to; from < plan->step_count && outcome == RAN; from = to) {
		uint32_t cpu = plan->steps[from].cpu, seen = from;
		double moved = seconds_now();

		for (to = from + 1; to < plan->step_count && plan->steps[to].cpu == cpu; to++)
			;
		pin_to_cpu(cpu);
		program->progress->limit = to;
		while (program->progress->next < to) {
			int error = trigger(program, to - program->progress->next);

			if (between_calls)
				between_calls();
			if (error && error != -EINTR && error != -EAGAIN) {
				snprintf(reason, REASON_BYTES, "running the program on a test packet: %s", errno_name(error));
				outcome = program->progress->next == 0 ? UNSUPPORTED : FAILED;
				break;
			}
			if (program->progress->next != seen) {
				seen = program->progress->next;
				moved = seconds_now();
			} else if (seconds_now() - moved > PATIENCE_SECONDS) {
				snprintf(reason, REASON_BYTES, "the program stood still at step %u of %u for %d s (%u retries)", seen,
					 plan->step_count, PATIENCE_SECONDS, program->progress->retries);
				outcome = FAILED;
				break;
			}
		}
	}
	program->progress->limit = 0;
	memcpy(plan->steps, program->script, plan->step_count * sizeof *plan->steps);
	return outcome;
}

void free_program(struct program *program)
{
	if (!program)
		return;
	bpf_link__destroy(program->link);
	if (program->script)
		munmap(program->script, program->script_bytes);
	if (program->progress)
		munmap(program->progress, program->progress_bytes);
	bpf_object__close(program->object);
	free(program);
}
