/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections over a pair of veths from the namespace "client" to the namespace "server", one after the
 * other, all on CPU 0. In the server's namespace both directions of the link "inside" pass a program that
 * keeps a table of connections. After every few connections comes a lap of work that is always the same:
 * an emulated processor is twice as fast at one moment as at another, and the laps tell how fast.
 */
#define _GNU_SOURCE
#include "costs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>

static void enter(const char *namespace)
{
	char path[64];

	snprintf(path, sizeof path, "/run/netns/%s", namespace);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("cannot enter the namespace %s: %s", namespace, strerror(errno));
	close(fd);
}

static void attach(int program, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex("inside"), .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program);
	int error = bpf_tc_hook_create(&hook);

	if (error && error != -EEXIST)
		die("cannot make the hook of the link: %s", strerror(-error));
	error = bpf_tc_attach(&hook, &options);
	if (error)
		die("cannot attach the tracking program: %s", strerror(-error));
}

static void *serve(void *argument)
{
	int listener = *(int *)argument;
	char byte;

	while (true) {
		int connection = accept(listener, NULL, NULL);
		if (connection < 0)
			die("cannot accept: %s", strerror(errno));
		if (read(connection, &byte, 1) == 1 && write(connection, &byte, 1) != 1)
			die("cannot answer: %s", strerror(errno));
		/* Until the client has closed: the side that closes first keeps the port. */
		if (read(connection, &byte, 1) < 0)
			die("cannot wait for the client: %s", strerror(errno));
		close(connection);
	}
}

static void ask(struct sockaddr_in *server)
{
	int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte = 1;

	if (connect(connection, (void *)server, sizeof *server))
		die("cannot connect: %s", strerror(errno));
	if (write(connection, &byte, 1) != 1 || read(connection, &byte, 1) != 1)
		die("no answer: %s", strerror(errno));
	/* Not closed before the server has: its last segment is then for a socket, whatever the kernel keeps of one that waits. */
	if (shutdown(connection, SHUT_WR) || read(connection, &byte, 1) != 0)
		die("the server does not close: %s", strerror(errno));
	close(connection);
}

#define LAP_EVERY 4	/* connections */
#define LAP_STEPS 20000

static uint32_t step(uint32_t state, uint32_t *cells)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	cells[state % 16384] += state;
	return state + cells[state / 7 % 16384];
}

/* Calls by a pointer, memory and sums: about what a kernel does. */
static void run_lap(void)
{
	static uint32_t cells[16384];
	uint32_t (*volatile call)(uint32_t, uint32_t *) = step;
	uint32_t state = 1;

	for (int i = 0; i < LAP_STEPS; i++)
		state = call(state, cells) | 1;
}

/*
 * The emulator keeps translations of addresses in tables that grow when more than 70% of them are in use and shrink while the
 * processor has little to do. One that has shrunk may stay too small for all that a connection touches: a connection then takes
 * up to half as long again, for many seconds. So before each phase they are filled until they are as large as they become.
 */
static void fill_translations(void)
{
	const size_t size = 64 << 20;

	for (int i = 0; i < 10; i++) {
		char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		/* Small pages: a few large ones are flushed by their addresses, and a table grows only where the whole of it is flushed. */
		if (memory == MAP_FAILED || madvise(memory, size, MADV_NOHUGEPAGE) || zeros < 0 || read(zeros, memory, size) < 0)
			die("cannot touch memory: %s", strerror(errno));
		for (size_t at = 0; at < size; at += 4096)
			((volatile char *)memory)[at]++;
		close(zeros);
		munmap(memory, size);
	}
}

int run_traffic(const char *server_address)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(TRAFFIC_PORT)}, any = server;
	struct bpf_object *object = load_programs(true);
	int listener, one = 1, program = program_of(object, "track");
	volatile struct globals *globals = globals_of(object);
	char line[64];
	double seconds;

	if (inet_pton(AF_INET, server_address, &server.sin_addr) != 1)
		die("%s is not an IPv4 address", server_address);
	pin_to_cpu(0);
	enter("server");
	attach(program, BPF_TC_INGRESS);
	attach(program, BPF_TC_EGRESS);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (void *)&any, sizeof any) || listen(listener, 128))
		die("cannot listen: %s", strerror(errno));
	/* A thread: where two processes take turns the emulator forgets the kernel's translations too, which no processor does. */
	pthread_t thread;
	if (pthread_create(&thread, NULL, serve, &listener))
		die("cannot start the server: %s", strerror(errno));
	enter("client");
	while (fgets(line, sizeof line, stdin)) {
		if (!strcmp(line, "count\n")) {
			printf("changes %lu\n", (unsigned long)globals->flow_changes);
			continue;
		}
		if (sscanf(line, "go %lf", &seconds) != 1)
			die("what is '%s'?", line);
		fill_translations();
		uint64_t before = globals->flow_changes, connections = 0, laps = 0;
		double lapping = 0;
		double began = seconds_now(), now;
		/* Another of 16 addresses each time: a port that waits is then free again. */
		uint32_t first = ntohl(server.sin_addr.s_addr);
		do {
			struct sockaddr_in next = server;
			next.sin_addr.s_addr = htonl(first + connections % 16);
			ask(&next);
			if (++connections % LAP_EVERY == 0) {
				double lap = seconds_now();
				run_lap();
				laps++;
				lapping += seconds_now() - lap;
			}
		} while ((now = seconds_now()) - began < seconds);
		usleep(200000);
		printf("traffic connections %lu seconds %.3f laps %lu seconds %.3f changes %lu\n", (unsigned long)connections, now - began - lapping,
		       (unsigned long)laps, lapping, (unsigned long)(globals->flow_changes - before));
	}
	bpf_object__close(object);
	return 0;
}
