/* tests/unit/dns/nsd.c - starts and ends NSD. */
#include "tests/unit/dns/nsd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

extern char **environ;

static uint16_t free_port(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(sa);
	int tcp = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(tcp, (struct sockaddr *)&sa, n) < 0 ||
	    getsockname(tcp, (struct sockaddr *)&sa, &n) < 0)
		abort();
	close(tcp);
	return ntohs(sa.sin_port);
}

static void write_file(const struct nsd *d, const char *name, struct slice text)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", d->dir, name);
	if (file_write_atomic(path, text, 0600) < 0)
		abort();
}

/* A host without IPv6 has no ::1 to listen on. */
bool nsd_has_ipv6(void)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = bind(fd, (struct sockaddr *)&sa, sizeof(sa));

	close(fd);
	return r == 0;
}

static void write_config(const struct nsd *d, const struct nsd_zone *zones, unsigned n)
{
	struct buf conf;

	buf_init(&conf, 0);
	buf_putf(&conf,
		 "server:\n ip-address: 127.0.0.1@%u\n server-count: 1\n username: \"\"\n "
		 "database: \"\"\n"
		 " zonesdir: \"%s\"\n pidfile: \"%s/pid\"\n logfile: \"%s/log\"\n xfrdfile: "
		 "\"%s/xfrd\"\n"
		 " xfrdir: \"%s\"\n zonelistfile: \"%s/zones\"\n rrl-ratelimit: 0\n"
		 "remote-control:\n control-enable: no\n",
		 d->port, d->dir, d->dir, d->dir, d->dir, d->dir, d->dir);
	if (nsd_has_ipv6())
		buf_putf(&conf, "server:\n ip-address: ::1@%u\n", d->port);
	for (unsigned i = 0; i < n; i++) {
		buf_putf(&conf, "zone:\n name: %s\n zonefile: %s.zone\n", zones[i].name,
			 zones[i].name);
		char name[80];
		(void)snprintf(name, sizeof(name), "%s.zone", zones[i].name);
		write_file(d, name, slice_str(zones[i].text));
	}
	write_file(d, "nsd.conf", buf_data(&conf));
	buf_free(&conf);
}

/* Waits until it takes connections. */
static bool is_up(const struct nsd *d)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_port = htons(d->port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };

	for (int i = 0; i < 500; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int ok = connect(fd, (struct sockaddr *)&sa, sizeof(sa));

		close(fd);
		if (ok == 0)
			return true;
		if (waitpid(d->pid, NULL, WNOHANG) == d->pid)
			return false;
		(void)poll(NULL, 0, 10);
	}
	return false;
}

static bool try_start(struct nsd *d, const struct nsd_zone *zones, unsigned n)
{
	char conf[96];
	char *argv[] = { "nsd", "-d", "-c", conf, NULL };
	posix_spawn_file_actions_t files;

	d->port = free_port();
	write_config(d, zones, n);
	(void)snprintf(conf, sizeof(conf), "%s/nsd.conf", d->dir);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&d->pid, "/usr/sbin/nsd", &files, NULL, argv, environ) != 0)
		abort();
	posix_spawn_file_actions_destroy(&files);
	if (is_up(d))
		return true;
	(void)kill(d->pid, SIGTERM);
	(void)waitpid(d->pid, NULL, 0);
	return false;
}

void nsd_start(struct nsd *d, const struct nsd_zone *zones, unsigned n)
{
	(void)snprintf(d->dir, sizeof(d->dir), "/tmp/nsd-test-XXXXXX");
	if (!mkdtemp(d->dir))
		abort();
	for (int i = 0; i < 5; i++) /* the port may have been taken meanwhile */
		if (try_start(d, zones, n))
			return;
	(void)fprintf(stderr, "nsd does not start; see %s/log\n", d->dir);
	abort();
}

void nsd_stop(struct nsd *d)
{
	char command[128];
	char *argv[] = { "sh", "-c", command, NULL };
	int pid;

	(void)kill(d->pid, SIGTERM);
	(void)waitpid(d->pid, NULL, 0);
	(void)snprintf(command, sizeof(command), "rm -rf %s", d->dir);
	if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) == 0)
		(void)waitpid(pid, NULL, 0);
}

void nsd_options(const struct nsd *d, struct resolver_options *o)
{
	resolver_options_default(o);
	if (ip_parse(SLICE("127.0.0.1"), &o->servers[0].ip) < 0)
		abort();
	o->servers[0].port = d->port;
	o->n_servers = 1;
}
