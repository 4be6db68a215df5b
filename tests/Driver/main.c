/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <getopt.h>
#include <sys/resource.h>

static const char usage[] =
	"mapdriver COMMAND [OPTION...]: makes BPF map changes in every way there is, and writes down which.\n"
	"\n"
	"  rows         a map for each way of changing one (writer x operation x map type), N changes in each\n"
	"  born         the same on maps made right before their first change\n"
	"  storm        N changes by all kinds of writers at once, on two CPUs (maps storm, storm_lru)\n"
	"  bench-free   N updates by bpf(2) at a rate; writes no files\n"
	"  bench-batch  updates and deletes by bpf(2) in batches, N after every key was written once; writes no files\n"
	"  list         the names of all rows\n"
	"\n"
	"  --out DIR           where the files go (rows, born, storm; made if missing)\n"
	"  --count N           changes per row, or in all (default 200; storm 100000)\n"
	"  --only PATTERN      only rows of that name, as in a shell (may be repeated)\n"
	"  --pin DIR           pin each map as DIR/NAME, for good\n"
	"  --seed S            other keys' order and other values (default 1)\n"
	"  --stepwise          print \"ready\" when the maps are there (born: before), \"done\" when the changes are\n"
	"                      made and the files written; go on after a line, or the end, on stdin each time\n"
	"  --shared-keys K     storm: all writers on the same K keys of one hash map\n"
	"  --generations G     born: each map made and closed G times (default 1)\n"
	"  --rate R            bench-free, bench-batch: changes per second (default 0: as fast as it goes)\n"
	"  --map NAME --keys K --key-size B --value-size B   bench-free, bench-batch (default bench_free, 10000, 24, 64)\n"
	"  --maps M            bench-batch: so many maps in turn, NAME0 and on, of K keys each (default 1)\n"
	"  --batch B           bench-batch: entries per call (default 256)\n"
	"  --seconds S         bench-batch: so long instead of N changes\n"
	"  --ring PIN          bench-batch: waits whenever this ring buffer is more than half full\n"
	"                      with --stepwise it says \"filled\", too, when every key was written once\n"
	"\n"
	"Files, tab-separated:\n"
	"  rows.txt     row (= map name), certainty, way, type, key_size, value_size, value_bytes, entries,\n"
	"               flags, changes, refused, note. The way is WRITER.CALL, e.g. xdp.update. Several lines\n"
	"               of one row: the generations of born, the writers of storm.\n"
	"  changes.txt  map, op, key, value, way; one line per change that succeeded, in hex, value - if deleted.\n"
	"               op: add, update, delete, and put where add or update cannot be told ahead.\n"
	"               Refused operations are counted in rows.txt, and are no changes.\n"
	"  NAME.dump    key, value in hex, sorted by key: what the map held in the end.\n"
	"Values of per-CPU maps are whole: a slot of 8-byte multiples for each possible CPU.\n"
	"\n"
	"Certainty:\n"
	"  exact        these changes, in this order, lead to the dump\n"
	"  per-key      the same for each key alone; between keys of different writers the order is unknown\n"
	"  evicting     the same as per-key, and the map evicted: the dump is a part of what they lead to\n"
	"  unknown      only the dump is the truth\n"
	"  unsupported  this kernel has no such way, and the note says why (changes that had to come first, the\n"
	"               adds of a delete row, are in changes.txt)\n"
	"  failed       something is not as it should be: exit status 1\n";

enum { OUT = 1, COUNT, ONLY, PIN, SEED, STEPWISE, SHARED_KEYS, GENERATIONS, RATE, MAP, KEYS, KEY_SIZE, VALUE_SIZE, MAPS, BATCH, PERIOD, RING, HELP };

static const struct option long_options[] = {
	{"out", required_argument, NULL, OUT},
	{"count", required_argument, NULL, COUNT},
	{"only", required_argument, NULL, ONLY},
	{"pin", required_argument, NULL, PIN},
	{"seed", required_argument, NULL, SEED},
	{"stepwise", no_argument, NULL, STEPWISE},
	{"shared-keys", required_argument, NULL, SHARED_KEYS},
	{"generations", required_argument, NULL, GENERATIONS},
	{"rate", required_argument, NULL, RATE},
	{"map", required_argument, NULL, MAP},
	{"keys", required_argument, NULL, KEYS},
	{"key-size", required_argument, NULL, KEY_SIZE},
	{"value-size", required_argument, NULL, VALUE_SIZE},
	{"maps", required_argument, NULL, MAPS},
	{"batch", required_argument, NULL, BATCH},
	{"seconds", required_argument, NULL, PERIOD},
	{"ring", required_argument, NULL, RING},
	{"help", no_argument, NULL, HELP},
	{0},
};

static uint32_t number(const char *text, const char *option)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || !*text || value == 0 || value > 1u << 30)
		die("--%s wants a number from 1 to %u, not \"%s\"", option, 1u << 30, text);
	return value;
}

static void parse(int argc, char **argv, struct options *options)
{
	int option, index;

	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		const char *name = option == '?' ? "" : long_options[index].name;

		switch (option) {
		case OUT: options->out = optarg; break;
		case COUNT: options->count = number(optarg, name); break;
		case ONLY:
			if (options->only_count == sizeof options->only / sizeof *options->only)
				die("--only is given too often");
			options->only[options->only_count++] = optarg;
			break;
		case PIN: options->pin = optarg; break;
		case SEED: options->seed = number(optarg, name); break;
		case STEPWISE: options->stepwise = true; break;
		case SHARED_KEYS: options->shared_keys = number(optarg, name); break;
		case GENERATIONS: options->generations = number(optarg, name); break;
		case RATE: options->rate = strtod(optarg, NULL); break;
		case MAP: options->map_name = optarg; break;
		case KEYS: options->keys = number(optarg, name); break;
		case KEY_SIZE: options->key_size = number(optarg, name); break;
		case VALUE_SIZE: options->value_size = number(optarg, name); break;
		case MAPS: options->maps = number(optarg, name); break;
		case BATCH: options->batch = number(optarg, name); break;
		case PERIOD: options->seconds = strtod(optarg, NULL); break;
		case RING: options->ring = optarg; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(2);
		}
	}
	if (optind < argc)
		die("unknown argument %s; see mapdriver --help", argv[optind]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct options *options);
		bool writes_files;
		uint32_t count;
	} commands[] = {
		{"rows", rows_command, true, 200},
		{"born", born_command, true, 200},
		{"storm", storm_command, true, 100000},
		{"bench-free", bench_free_command, false, 200},
		{"bench-batch", bench_batch_command, false, 1000000},
		{"list", list_command, false, 200},
	};
	struct options options = {
		.generations = 1, .keys = 10000, .key_size = 24, .value_size = 64, .seed = 1, .map_name = "bench_free",
		.maps = 1, .batch = 256,
	};

	if (argc < 2 || !strcmp(argv[1], "--help")) {
		fputs(usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	/* Before 5.11 maps are charged to this limit. */
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		options.count = commands[i].count;
		parse(argc - 1, argv + 1, &options);
		if (commands[i].writes_files && !options.out)
			die("%s needs --out DIR", argv[1]);
		return commands[i].run(&options);
	}
	die("unknown command %s; see mapdriver --help", argv[1]);
}
