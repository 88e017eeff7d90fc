/* main.c - gazette, a small content server: options and start.
 *
 *   gazette [--port N] [--root FOLDER] [--workers N] [--threads N] [--gc-objects N] [--gc-growth PERCENT]
 *
 * Prints "gazette: serving on port N" when it is ready. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve.h"
#include "site.h"
#include "workers.h"

struct options {
	int port, workers, threads;
	struct site_options site;
};

static const struct option names[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "root", required_argument, NULL, 'r' },
	{ "workers", required_argument, NULL, 'w' },
	{ "threads", required_argument, NULL, 't' },
	{ "gc-objects", required_argument, NULL, 'g' },
	{ "gc-growth", required_argument, NULL, 'G' },
	{ NULL, 0, NULL, 0 },
};

static int parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "p:r:w:t:g:G:", names, NULL)) != -1) {
		switch (c) {
		case 'p': o->port = atoi(optarg); break;
		case 'r': o->site.root = optarg; break;
		case 'w': o->workers = atoi(optarg); break;
		case 't': o->threads = atoi(optarg); break;
		case 'g': o->site.gc_objects = (unsigned)atoi(optarg); break;
		case 'G': o->site.gc_growth = (unsigned)atoi(optarg); break;
		default: return -1;
		}
	}
	return optind == argc ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options o = { .threads = 1, .site = { .gc_objects = 4000, .gc_growth = 200 } };
	int listener;

	if (parse_options(argc, argv, &o) < 0) {
		fprintf(stderr, "usage: gazette [--port N] [--root FOLDER] [--workers N] [--threads N]"
				" [--gc-objects N] [--gc-growth PERCENT]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	site_init(&o.site);
	listener = serve_listen(&o.port);
	if (listener < 0) {
		perror("gazette: cannot listen");
		return 1;
	}
	printf("gazette: serving on port %d\n", o.port);
	fflush(stdout);
	return workers_run(listener, o.workers, o.threads) < 0 ? 1 : 0;
}
