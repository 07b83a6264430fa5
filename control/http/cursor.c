/* control/http/cursor.c */
#include "base/encode.h"
#include "control/auth/secrets.h"
#include "control/http/cursor.h"

enum { ID_BYTES = 8, CURSOR_MAC = 16 };

static void mac_of(const uint8_t key[32], struct slice about, struct slice payload, uint8_t ret[MAC_LEN])
{
	struct buf all = { 0 };

	buf_putf(&all, "%zu\n", about.n); /* so that the seam cannot move */
	buf_put(&all, about);
	buf_put(&all, payload);
	mac_sha256(key, buf_data(&all), ret);
	buf_free(&all);
}

int cursor_write(const uint8_t key[32], struct slice about, int64_t id, struct slice text,
		 struct buf *out)
{
	struct buf raw = { 0 };
	uint8_t mac[MAC_LEN];
	char id_bytes[ID_BYTES];
	int r;

	text.n = MIN_OF(text.n, (size_t)CURSOR_TEXT_MAX);
	for (int i = 0; i < ID_BYTES; i++)
		id_bytes[i] = (char)((uint64_t)id >> (56 - 8 * i));
	buf_put(&raw, slice_of(id_bytes, ID_BYTES));
	buf_put(&raw, text);
	mac_of(key, about, buf_data(&raw), mac);
	buf_put(&raw, slice_of((char *)mac, CURSOR_MAC));
	r = base64url_encode(out, buf_data(&raw));
	buf_free(&raw);
	return r;
}

static int check(const uint8_t key[32], struct slice about, struct slice raw)
{
	uint8_t mac[MAC_LEN];

	if (raw.n < ID_BYTES + CURSOR_MAC || raw.n > ID_BYTES + CURSOR_TEXT_MAX + CURSOR_MAC)
		return E_SYNTAX;
	mac_of(key, about, slice_of(raw.p, raw.n - CURSOR_MAC), mac);
	return slice_eq_secret(slice_of((char *)mac, CURSOR_MAC),
			       slice_of(raw.p + raw.n - CURSOR_MAC, CURSOR_MAC)) ? 0 : E_SYNTAX;
}

int cursor_read(const uint8_t key[32], struct slice about, struct slice cursor, int64_t *ret_id,
		char *text, size_t text_size, size_t *ret_n)
{
	struct buf raw = { 0 };
	uint64_t id = 0;
	int r = cursor.n > 1024 ? E_SYNTAX : base64url_decode(&raw, cursor);

	if (r >= 0)
		r = check(key, about, buf_data(&raw));
	if (r >= 0) {
		struct slice s = buf_data(&raw);
		for (int i = 0; i < ID_BYTES; i++)
			id = id << 8 | (uint8_t)s.p[i];
		*ret_id = (int64_t)id;
		*ret_n = slice_copy(text, text_size,
				    slice_of(s.p + ID_BYTES, s.n - ID_BYTES - CURSOR_MAC));
	}
	buf_free(&raw);
	return r < 0 ? r : 0;
}
