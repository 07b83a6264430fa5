/* bench/sink_store.c - messages to a file, and the numbers of recipients already seen. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/sink_store.h"

enum { NUMBERS = 1 << 25 };

static int store_fd = -1;
static struct buf store_buf;
static uint8_t
    seen_numbers[NUMBERS]; /* one bit per number; memory is used only where it is touched */

int store_open(const char *path)
{
	store_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return store_fd < 0 ? -errno : 0;
}

bool store_seen_before(const char *rcpt)
{
	char *end;
	unsigned long n;

	if (rcpt[0] != 'u')
		return false;
	n = strtoul(rcpt + 1, &end, 10);
	if (end == rcpt + 1 || *end != '@' || n >= (unsigned long)NUMBERS * 8)
		return false;
	bool before = seen_numbers[n / 8] & 1u << n % 8;
	seen_numbers[n / 8] |= (uint8_t)(1u << n % 8);
	return before;
}

static void unstuff(struct slice wire, struct buf *out)
{
	for (size_t at = 0; at < wire.n;) {
		const char *lf = memchr(wire.p + at, '\n', wire.n - at);
		size_t end = lf ? (size_t)(lf - wire.p) + 1 : wire.n;
		size_t skip = wire.p[at] == '.' ? 1 : 0;
		buf_put(out, slice_of(wire.p + at + skip, end - at - skip));
		at = end;
	}
}

void store_flush(void)
{
	struct slice s = buf_data(&store_buf);

	while (s.n) {
		ssize_t n = write(store_fd, s.p, s.n);
		if (n < 0)
			break;
		s = slice_skip(s, (size_t)n);
	}
	buf_clear(&store_buf);
}

static void json_text(struct buf *out, const char *text)
{
	buf_put(out, SLICE("\""));
	for (; *text; text++) {
		if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20)
			buf_putf(out, "\\u%04x", (unsigned char)*text);
		else
			buf_put(out, slice_of(text, 1));
	}
	buf_put(out, SLICE("\""));
}

void store_message(struct peer *p, struct slice wire)
{
	struct buf plain;

	if (store_fd < 0)
		return;
	buf_init(&plain, 0);
	unstuff(wire, &plain);
	for (unsigned i = 0; i < p->n_rcpts; i++) {
		buf_put(&store_buf, SLICE("{\"rcpt\":"));
		json_text(&store_buf, p->rcpts[i]);
		buf_put(&store_buf, SLICE(",\"from\":"));
		json_text(&store_buf, p->from);
		buf_putf(&store_buf, ",\"ip\":\"%s\",\"tls\":%s,\"bytes\":%zu}\n", p->ip,
			 p->ssl ? "true" : "false", buf_len(&plain));
		buf_put(&store_buf, buf_data(&plain));
		buf_put(&store_buf, SLICE("\n"));
	}
	buf_free(&plain);
	if (buf_len(&store_buf) > 1024 * 1024)
		store_flush();
}
