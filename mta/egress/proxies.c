/* mta/egress/proxies.c - proxies, as the configuration has them. */
#include "mta/egress/proxies.h"

#include <sys/stat.h>

#include "base/file.h"
#include "mta/config/entries.h"
#include "mta/egress/entry.h"

static int read_line(struct slice line, struct proxy *p)
{
	struct slice user, password;

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (!slice_cut(line, ':', &user, &password) || !user.n || !password.n ||
	    user.n > PROXY_TEXT_MAX || password.n > PROXY_TEXT_MAX || memchr(line.p, 0, line.n))
		return E_SYNTAX;
	p->user = must_copy(user);
	p->password = must_copy(password);
	return 0;
}

static int read_secret(struct slice path, struct proxy *p)
{
	char name[1024];
	struct slice line;
	struct buf text;
	struct stat st;
	int r;

	if (path.n >= sizeof(name))
		return E_SYNTAX;
	slice_copy(name, sizeof(name), path);
	if (stat(name, &st) < 0)
		return -errno;
	if (st.st_mode & (S_IROTH | S_IWOTH))
		return E_DENIED;
	buf_init(&text, 0);
	r = file_read(name, 2048, &text);
	line = buf_data(&text);
	if (r >= 0)
		r = read_line(slice_take(&line, '\n'), p);
	buf_free(&text);
	return r;
}

static int read_kind(struct slice word, struct proxy *p)
{
	p->kind = slice_eq(word, SLICE("haproxy")) ? PROXY_HAPROXY : PROXY_SOCKS5;
	return p->kind == PROXY_HAPROXY || slice_eq(word, SLICE("socks5")) ? 0 : E_SYNTAX;
}

int proxies_read(struct slice s, struct proxy *ret)
{
	struct slice name = entries_word(&s), kind = entries_word(&s), at = entries_word(&s);
	struct slice file = entries_word(&s);
	struct proxy p = { 0 };
	int r = 0;

	if (!entry_is_name(name) || read_kind(kind, &p) < 0 || entries_word(&s).n ||
	    ip_port_parse(at, &p.ip, &p.port) < 0 || !p.port)
		return E_SYNTAX;
	if (file.n)
		r = p.kind == PROXY_SOCKS5 ? read_secret(file, &p) : E_SYNTAX;
	if (r < 0) {
		proxies_clear(&p);
		return r;
	}
	p.name = must_copy(name);
	*ret = p;
	return 0;
}

static void wipe(const char *text)
{
	if (text)
		explicit_bzero((char *)(uintptr_t)text, strlen(text));
	free((char *)(uintptr_t)text);
}

void proxies_clear(struct proxy *p)
{
	free((char *)(uintptr_t)p->name);
	wipe(p->user);
	wipe(p->password);
	*p = (struct proxy){ 0 };
}
