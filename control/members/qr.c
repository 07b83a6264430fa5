/* control/members/qr.c - QR codes by libqrencode. */
#include "control/members/qr.h"

#include <errno.h>
#include <qrencode.h>

#include "base/encode.h"

enum { QUIET = 4 }; /* modules around it that stay white */

static bool dark(const QRcode *qr, int x, int y)
{
	return qr->data[y * qr->width + x] & 1;
}

/* Each run of dark modules of a row is one rectangle of the path. */
static void draw_row(const QRcode *qr, int y, struct buf *out)
{
	for (int x = 0; x < qr->width; x++) {
		int n = 0;

		while (x + n < qr->width && dark(qr, x + n, y))
			n++;
		if (n)
			buf_putf(out, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, n, n);
		x += n;
	}
}

int qr_svg(struct slice text, struct buf *out)
{
	QRcode *qr;
	int side;

	if (text.n > QR_TEXT_MAX)
		return E_LIMIT;
	qr = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
	if (!qr)
		return -ENOMEM;
	side = qr->width + 2 * QUIET;
	buf_putf(out,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		 "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
		 "<path d=\"",
		 side, side, side, side);
	for (int y = 0; y < qr->width; y++)
		draw_row(qr, y, out);
	buf_put(out, SLICE("\"/></svg>"));
	QRcode_free(qr);
	return 0;
}

int qr_data_uri(struct slice text, struct buf *out)
{
	struct buf svg = { 0 };
	int r = qr_svg(text, &svg);

	buf_put(out, SLICE("data:image/svg+xml;base64,"));
	if (r >= 0)
		r = base64_encode(out, buf_data(&svg));
	if (svg.p)
		explicit_bzero(svg.p, svg.cap);
	buf_free(&svg);
	return r;
}
