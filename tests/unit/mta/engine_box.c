/* A real engine in a folder of its own; see the header. */
#include "tests/unit/mta/engine_box.h"

#include <dirent.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "mta/config/host.h"

/* Ports of our own: several test programs run at once. */
static void own_network(void)
{
	static bool done;
	struct ifreq lo = { .ifr_name = "lo" };
	int fd;

	if (done)
		return;
	assert_int_equal(unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &lo), 0);
	lo.ifr_flags |= IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
	done = true;
}

struct starting {
	struct box *box;
	sem_t ready;
};

static void on_ready(void *arg)
{
	sem_post(&((struct starting *)arg)->ready);
}

static void *run(void *arg)
{
	struct starting *s = arg;
	struct box *b = s->box;
	const char *what = "";

	b->result = engine_run(b->engine, on_ready, s, &what);
	if (b->result < 0)
		(void)fprintf(stderr, "engine: %s: %s\n", what, err_text(b->result));
	return NULL;
}

void box_start_again(struct box *b, const char *extra)
{
	struct starting s = { .box = b };
	struct spool_options o = { .segment_bytes = 64 << 20,
				   .lazy_commit_ms = 5,
				   .clean_ratio = 300 };
	struct settings *c;
	struct spool *sp;
	struct buf text = { 0 };
	char error[OPTION_ERROR_MAX] = "", spool_dir[96];

	(void)snprintf(spool_dir, sizeof(spool_dir), "%s/spool", b->dir);
	o.dir = spool_dir;
	buf_putf(&text,
		 "hostname = box.example\nlanes = 2\nspool.dir = %s\nspool.reserve = 0\n"
		 "listen.submission = 127.0.0.1:2525\nlink.socket = %s/link.sock\nadmin.socket = "
		 "%s/admin.sock\n"
		 "keys.dir = %s/keys\ndns.servers = 127.0.0.1:1\nlog.level = error\n%s",
		 spool_dir, b->dir, b->dir, b->dir, extra ? extra : "");
	if (settings_parse(&c, mta_option_sets, mta_option_sets_n, buf_data(&text), "box", error) <
	    0)
		fail_msg("%s", error);
	buf_free(&text);
	log_open(STDERR_FILENO, host_options(c)->level);
	(void)mkdir(spool_dir, 0700);
	assert_int_equal(spool_open(&sp, &o), 0);
	assert_int_equal(spool_start(sp), 0);
	assert_int_equal(engine_new(&b->engine, c, sp, b->parts, b->n_parts, true), 0);
	sem_init(&s.ready, 0, 0);
	assert_int_equal(pthread_create(&b->thread, NULL, run, &s), 0);
	sem_wait(&s.ready);
	sem_destroy(&s.ready);
}

void box_start_with(struct box *b, const struct part *const *parts, unsigned n_parts,
		    const char *extra)
{
	own_network();
	*b = (struct box){ .parts = parts, .n_parts = n_parts };
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/postern-box.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	box_start_again(b, extra);
}

void box_start(struct box *b, const char *extra)
{
	box_start_with(b, mta_parts, mta_parts_n, extra);
}

static void stop(struct note *n, struct lane *l)
{
	(void)n;
	engine_stop(lane_engine(l));
}

void box_stop(struct box *b)
{
	struct note n = { .run = stop };

	lane_post(engine_front(b->engine), &n);
	pthread_join(b->thread, NULL);
	b->engine = engine_free(b->engine);
}

static void remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[512];

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR)
			remove_tree(name);
		else
			(void)unlink(name);
	}
	if (dir)
		(void)closedir(dir);
	(void)rmdir(path);
}

void box_remove(struct box *b)
{
	if (b->engine)
		box_stop(b);
	remove_tree(b->dir);
}

/* ---- clients ----------------------------------------------------------------------------- */

void framed_open(struct framed *c, const struct box *b, const char *socket_name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	*c = (struct framed){ .fd = socket(AF_UNIX, SOCK_STREAM, 0), .arena = wire_arena_new() };
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", b->dir, socket_name);
	assert_int_equal(connect(c->fd, (struct sockaddr *)(void *)&at, sizeof(at)), 0);
}

void framed_close(struct framed *c)
{
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	c->arena = wire_arena_free(c->arena);
}

void framed_send_raw(struct framed *c, struct slice s)
{
	while (s.n) {
		ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);
		assert_true(n > 0);
		s = slice_of(s.p + n, s.n - (size_t)n);
	}
}

void framed_send(struct framed *c, const struct link_frame *f)
{
	buf_clear(&c->out);
	assert_int_equal(link_put(&c->out, f), 0);
	framed_send_raw(c, buf_data(&c->out));
}

bool framed_next(struct framed *c, struct link_frame *ret)
{
	struct slice body;

	buf_consume(&c->in, c->used);
	c->used = 0;
	while (link_split(buf_data(&c->in), &body, &c->used) == 0) {
		assert_int_equal(buf_reserve(&c->in, 65536), 0);
		ssize_t n = recv(c->fd, buf_tail(&c->in), 65536, 0);
		if (n <= 0)
			return false;
		buf_grow(&c->in, (size_t)n);
	}
	assert_int_equal(link_get(body, c->arena, ret), 0);
	return true;
}
