/* mta/smtpd/listen.c - listening sockets that share a port within the process, and with nobody
 * else. */
#include "mta/smtpd/listen.h"

#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

#include "base/list.h"

enum { BACKLOG = 1024 };

/* An address that this process listens at, and with how many sockets. */
struct listen_place {
	struct list link;
	struct listener at;
	unsigned n;
};
static struct list places = LIST_INIT(places);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct listen_place *find(const struct listener *at)
{
	struct listen_place *p;

	list_each(&places, p, struct listen_place, link)
		if (p->at.port == at->port && ip_eq(&p->at.ip, &at->ip))
			return p;
	return NULL;
}

static void note_open(struct listen_place *p, const struct listener *at)
{
	if (!p) {
		p = must_alloc(sizeof(*p));
		p->at = *at;
		list_push(&places, &p->link);
	}
	p->n++;
}

static int set(int fd, int level, int option)
{
	int one = 1;

	return setsockopt(fd, level, option, &one, sizeof(one)) < 0 ? -errno : 0;
}

/* The first socket is bound without SO_REUSEPORT, which fails when anybody else listens here, and
 * lets others of ours in once it listens: from then on nobody else can be the first. */
static int open_socket(const struct listener *at, bool first, int *ret_fd)
{
	struct sockaddr_storage ss;
	socklen_t n = ip_sockaddr(&at->ip, at->port, &ss);
	OWNED_FD int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	(void)!set(fd, SOL_SOCKET, SO_REUSEADDR);
	if (ss.ss_family == AF_INET6)
		(void)!set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (!first)
		r = set(fd, SOL_SOCKET, SO_REUSEPORT);
	if (r == 0 && (bind(fd, (struct sockaddr *)&ss, n) < 0 || listen(fd, BACKLOG) < 0))
		r = -errno;
	if (r == 0 && first)
		r = set(fd, SOL_SOCKET, SO_REUSEPORT);
	if (r < 0)
		return r;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int smtpd_listen_open(const struct listener *at, int *ret_fd)
{
	struct listen_place *p;
	int r;

	pthread_mutex_lock(&lock);
	p = find(at);
	r = open_socket(at, !p, ret_fd);
	if (r == 0)
		note_open(p, at);
	pthread_mutex_unlock(&lock);
	return r;
}

void smtpd_listen_close(const struct listener *at, int fd)
{
	struct listen_place *p;

	pthread_mutex_lock(&lock);
	(void)close(fd);
	p = find(at);
	if (p && --p->n == 0) {
		list_remove(&p->link);
		free(p);
	}
	pthread_mutex_unlock(&lock);
}
