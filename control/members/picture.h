/* control/members/picture.h - a picture that somebody sent, made one that may be served: a PNG or a
 * JPEG by its content, whatever it was called, and nothing but the picture.
 *
 * It is read as a file of parts.  Those that the picture is made of are kept, in their order; all
 * others (metadata with places and names, thumbnails, animations, what stands behind the end) are
 * left out.  The pixels are not decoded here: no decoder runs on a stranger's bytes.
 *
 * Law:     what was cleaned is cleaned to itself.
 * Fails:   E_SYNTAX.
 * Threads: any.
 * Limits:  PICTURE_SIDE_MAX pixels a side; a rotation that metadata asks for is lost. */
#pragma once
#include "base/buf.h"

enum picture_kind { PICTURE_PNG = 1, PICTURE_JPEG };
enum { PICTURE_BYTES_MAX = 256 * 1024, PICTURE_SIDE_MAX = 1024 };
struct picture {
	enum picture_kind kind;
	unsigned width, height;
};
/* Appends the picture to out. */
int picture_clean(struct slice in, struct picture *ret, struct buf *out) MUST_CHECK;
/* "image/png"; "png". */
const char *picture_type(enum picture_kind kind);
const char *picture_suffix(enum picture_kind kind);
