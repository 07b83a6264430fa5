/* control/members/picture.c - PNG (ISO 15948) and JPEG (ITU-T T.81) as files of parts. */
#include "control/members/picture.h"

static unsigned be16(const char *p)
{
	return (unsigned)(uint8_t)p[0] << 8 | (uint8_t)p[1];
}

static uint32_t be32(const char *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static int check_side(uint32_t width, uint32_t height, struct picture *ret)
{
	if (!width || !height || width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX)
		return E_SYNTAX;
	ret->width = width;
	ret->height = height;
	return 0;
}

/* ---- PNG ----------------------------------------------------------------------------------- */

static const char png_signature[] = { (char)0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
static const struct slice png_begin = { png_signature, sizeof(png_signature) };
enum { PNG_AROUND = 12, PNG_HEAD = 13, PNG_PALETTE_MAX = 768, PNG_ALPHA_MAX = 256 };
enum { PNG_PALETTED = 3 };

/* Section 5.5, with its polynomial. */
static uint32_t png_crc(struct slice s)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= (uint8_t)s.p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

struct png {
	struct picture *ret;
	unsigned colour;
	bool palette, alpha, data, data_over;
};

/* Which depths a colour type has: bit n is depth n (table 11.1). */
static bool png_depth(unsigned colour, unsigned depth)
{
	static const uint32_t depths[] = { 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 16,
					   0,
					   1 << 8 | 1 << 16,
					   1 << 1 | 1 << 2 | 1 << 4 | 1 << 8,
					   1 << 8 | 1 << 16,
					   0,
					   1 << 8 | 1 << 16 };

	return colour < ARRAY_LEN(depths) && depth <= 16 && depths[colour] >> depth & 1;
}

static int png_head(struct png *g, struct slice d)
{
	if (d.n != PNG_HEAD)
		return E_SYNTAX;
	g->colour = (uint8_t)d.p[9];
	if (!png_depth(g->colour, (uint8_t)d.p[8]) || d.p[10] || d.p[11] || (uint8_t)d.p[12] > 1)
		return E_SYNTAX;
	return check_side(be32(d.p), be32(d.p + 4), g->ret);
}

/* 1: it is kept; 0: it is left out. */
static int png_part(struct png *g, struct slice type, struct slice d)
{
	bool was_data = g->data;

	if (slice_eq(type, SLICE("IDAT"))) {
		g->data = true;
		return g->data_over || (g->colour == PNG_PALETTED && !g->palette) ? E_SYNTAX : 1;
	}
	g->data_over = was_data;
	if (slice_eq(type, SLICE("PLTE"))) {
		bool fine =
		    !g->palette && !was_data && d.n && d.n % 3 == 0 && d.n <= PNG_PALETTE_MAX;
		g->palette = true;
		return fine ? 1 : E_SYNTAX;
	}
	if (slice_eq(type, SLICE("tRNS"))) {
		bool fine = !g->alpha && !was_data && d.n <= PNG_ALPHA_MAX;
		g->alpha = true;
		return fine ? 1 : E_SYNTAX;
	}
	/* A critical part that nobody knows: the picture cannot be shown without it. */
	return type.p[0] & 0x20 ? 0 : E_SYNTAX;
}

/* A part of a PNG: length, type, bytes, checksum. */
struct png_chunk {
	struct slice whole, type, bytes;
};

static int png_next(struct slice *rest, struct png_chunk *ret)
{
	uint32_t n;

	if (rest->n < PNG_AROUND)
		return E_SYNTAX;
	n = be32(rest->p);
	if (n > rest->n - PNG_AROUND)
		return E_SYNTAX;
	ret->whole = slice_of(rest->p, n + PNG_AROUND);
	ret->type = slice_of(rest->p + 4, 4);
	ret->bytes = slice_of(rest->p + 8, n);
	*rest = slice_skip(*rest, n + PNG_AROUND);
	return 0;
}

static bool png_right(const struct png_chunk *k)
{
	return png_crc(slice_of(k->type.p, k->bytes.n + 4)) == be32(k->bytes.p + k->bytes.n);
}

static int clean_png(struct slice in, struct picture *ret, struct buf *out)
{
	struct slice rest = slice_skip(in, png_begin.n);
	struct png g = { .ret = ret };
	struct png_chunk k;
	int r = png_next(&rest, &k);

	if (r < 0 || !slice_eq(k.type, SLICE("IHDR")) || png_head(&g, k.bytes) < 0 ||
	    !png_right(&k))
		return E_SYNTAX;
	buf_put(out, png_begin);
	buf_put(out, k.whole);
	while ((r = png_next(&rest, &k)) == 0) {
		bool end = slice_eq(k.type, SLICE("IEND"));

		r = end ? (g.data && !k.bytes.n ? 1 : E_SYNTAX) : png_part(&g, k.type, k.bytes);
		if (r < 0 || (r > 0 && !png_right(&k)))
			return E_SYNTAX;
		if (r > 0)
			buf_put(out, k.whole);
		if (end)
			return 0;
	}
	return r;
}

/* ---- JPEG ---------------------------------------------------------------------------------- */

/* Markers of table B.1. */
enum {
	M_BASELINE = 0xc0,
	M_PROGRESSIVE = 0xc2,
	M_HUFFMAN = 0xc4,
	M_RESTART = 0xd0,
	M_RESTART_LAST = 0xd7,
	M_BEGIN = 0xd8,
	M_END = 0xd9,
	M_SCAN = 0xda,
	M_QUANTIZATION = 0xdb,
	M_INTERVAL = 0xdd,
	M_APP0 = 0xe0,
	M_APP14 = 0xee,
	M_APP15 = 0xef,
	M_COMMENT = 0xfe,
};
static const char jpeg_begin[] = { (char)0xff, (char)M_BEGIN };
enum { JFIF_LEN = 14, ADOBE_LEN = 12, COMPONENTS_MAX = 4 };

struct jpeg {
	struct picture *ret;
	struct buf *out;
	bool jfif, frame, scan;
};

static void put_segment(struct buf *out, unsigned marker, struct slice d)
{
	const char head[] = { (char)0xff, (char)marker, (char)((d.n + 2) >> 8), (char)(d.n + 2) };

	buf_put(out, slice_of(head, sizeof(head)));
	buf_put(out, d);
}

/* Without the thumbnail that may follow it. */
static int jpeg_jfif(struct jpeg *j, struct slice d)
{
	char plain[JFIF_LEN];

	if (j->jfif || j->frame || d.n < JFIF_LEN || memcmp(d.p, "JFIF", 5) != 0)
		return 0;
	memcpy(plain, d.p, JFIF_LEN);
	plain[JFIF_LEN - 2] = plain[JFIF_LEN - 1] = 0;
	put_segment(j->out, M_APP0, slice_of(plain, JFIF_LEN));
	j->jfif = true;
	return 0;
}

/* Section B.2.2: precision, lines, samples, components. */
static int jpeg_frame(struct jpeg *j, unsigned marker, struct slice d)
{
	unsigned n = d.n > 5 ? (uint8_t)d.p[5] : 0;

	if (j->frame || !n || n > COMPONENTS_MAX || d.n != 6 + 3 * (size_t)n || d.p[0] != 8)
		return E_SYNTAX;
	j->frame = true;
	put_segment(j->out, marker, d);
	return check_side(be16(d.p + 3), be16(d.p + 1), j->ret);
}

/* What follows the head of a scan, up to the next marker that is not within it. */
static int jpeg_scan(struct jpeg *j, struct slice d, struct slice *rest)
{
	size_t n = 0;

	if (!j->frame || !d.n)
		return E_SYNTAX;
	while (n + 1 < rest->n) {
		unsigned next = (uint8_t)rest->p[n + 1];

		if ((uint8_t)rest->p[n] == 0xff && next &&
		    (next < M_RESTART || next > M_RESTART_LAST))
			break;
		n++;
	}
	j->scan = true;
	put_segment(j->out, M_SCAN, d);
	buf_put(j->out, slice_of(rest->p, n));
	*rest = slice_skip(*rest, n);
	return 0;
}

static int jpeg_segment(struct jpeg *j, unsigned marker, struct slice d, struct slice *rest)
{
	switch (marker) {
	case M_HUFFMAN:
	case M_QUANTIZATION:
	case M_INTERVAL:
		put_segment(j->out, marker, d);
		return 0;
	case M_SCAN:
		return jpeg_scan(j, d, rest);
	case M_APP0:
		return jpeg_jfif(j, d);
	case M_APP14: /* says how colours are to be read */
		if (d.n == ADOBE_LEN && !memcmp(d.p, "Adobe", 5))
			put_segment(j->out, marker, d);
		return 0;
	case M_COMMENT:
		return 0;
	default:
		if (marker >= M_BASELINE && marker <= M_PROGRESSIVE)
			return jpeg_frame(j, marker, d);
		return marker > M_APP0 && marker <= M_APP15 ? 0 : E_SYNTAX;
	}
}

static int clean_jpeg(struct slice in, struct picture *ret, struct buf *out)
{
	static const char end[] = { (char)0xff, (char)M_END };
	struct jpeg j = { .ret = ret, .out = out };
	struct slice rest = slice_skip(in, sizeof(jpeg_begin));
	int r = 0;

	buf_put(out, slice_of(jpeg_begin, sizeof(jpeg_begin)));
	while (r >= 0) {
		if (rest.n < 2 || (uint8_t)rest.p[0] != 0xff)
			return E_SYNTAX;
		unsigned marker = (uint8_t)rest.p[1];
		if (marker == 0xff) { /* fills */
			rest = slice_skip(rest, 1);
			continue;
		}
		if (marker == M_END) {
			buf_put(out, slice_of(end, sizeof(end)));
			return j.scan ? 0 : E_SYNTAX;
		}
		size_t n = rest.n >= 4 ? be16(rest.p + 2) : 0;
		if (n < 2 || n > rest.n - 2)
			return E_SYNTAX;
		struct slice d = slice_of(rest.p + 4, n - 2);
		rest = slice_skip(rest, n + 2);
		r = jpeg_segment(&j, marker, d, &rest);
	}
	return r;
}

/* ---- both ---------------------------------------------------------------------------------- */

int picture_clean(struct slice in, struct picture *ret, struct buf *out)
{
	struct slice rest = in;

	*ret = (struct picture){ 0 };
	if (slice_strip(&rest, png_begin)) {
		ret->kind = PICTURE_PNG;
		return clean_png(in, ret, out);
	}
	if (slice_strip(&rest, slice_of(jpeg_begin, sizeof(jpeg_begin)))) {
		ret->kind = PICTURE_JPEG;
		return clean_jpeg(in, ret, out);
	}
	return E_SYNTAX;
}

const char *picture_type(enum picture_kind kind)
{
	return kind == PICTURE_PNG ? "image/png" : "image/jpeg";
}

const char *picture_suffix(enum picture_kind kind)
{
	return kind == PICTURE_PNG ? "png" : "jpg";
}
