/* tests/unit/dkim/corpus.c - the messages to sign. */
#include "tests/unit/dkim/corpus.h"

#define FROM "From: Ana <ana@shop.example>\r\n"
#define REST "To: bo@b.example\r\nSubject: hello\r\nDate: Fri, 20 Nov 2026 16:32:38 +0000\r\n"

const struct slice corpus_headers[] = {
	SLICE(FROM),
	SLICE(FROM REST),
	SLICE(FROM REST
	      "Message-ID: <1@shop.example>\r\nMIME-Version: 1.0\r\n"
	      "Content-Type: multipart/alternative; boundary=\"b1\"\r\n"
	      "List-Unsubscribe: <https://t.shop.example/u/abc>, <mailto:u@shop.example>\r\n"
	      "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
	      "List-Id: <news.shop.example>\r\nFeedback-ID: 1:2:3:shop\r\nX-Mailer: none\r\n"),
	SLICE("Received: from a by b;\r\n\tFri, 20 Nov 2026 16:32:38 +0000\r\n" FROM REST),
	SLICE("fRoM: ana@shop.example\r\nSUBJECT: CASE\r\nto: x@y.example\r\n"),
	SLICE("From : ana@shop.example\r\nSubject   : spaces before the colon\r\n"),
	SLICE("From: Ana\r\n <ana@shop.example>\r\nSubject: folded\r\n\tonce\r\n  and\t \r\n "
	      "twice\r\n"),
	SLICE("From:\r\n ana@shop.example\r\nSubject:\r\n \r\n \r\n x\r\nTo: \r\n"),
	SLICE("From:ana@shop.example\r\nSubject:\r\nTo:\t\t \t\r\nCc:   a@b.example  ,\t "
	      "c@d.example \t\r\n"),
	SLICE(FROM "Subject: one\r\nSubject: two\r\nSubject:  three \r\nTo: a@b.example\r\nTo: "
		   "c@d.example\r\n"),
	SLICE(FROM "Subject: caf\xc3\xa9 \xff\xfe\x80 raw\r\nTo: \xe2\x98\x83@b.example\r\n"),
	SLICE(FROM "Subject: a::b;c=d\r\nX: :\r\nSubject-Line: not signed\r\nFromage: no\r\n"),
	SLICE("DKIM-Signature: v=1; garbage without sense ;;; = \r\n" FROM
	      "Subject: signed before\r\n"),
	SLICE("DKIM-Signature: v=1; a=rsa-sha256; d=other.example; s=x; h=from; "
	      "bh=AAAA;\r\n\tb=AAAA\r\n" FROM REST),
	SLICE("To: a@b.example\r\nReply-To: r@shop.example\r\nCc: c@d.example\r\n" FROM
	      "In-Reply-To: <0@x>\r\nReferences: <0@x>\r\n <1@x>\r\n"),
	/* the line ends of h= fall differently for each of these */
	SLICE(FROM
	      "Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain\r\n"
	      "CFBL-Address: fbl@shop.example\r\nCFBL-Feedback-ID: 1\r\nList-Owner: "
	      "<mailto:o@s.example>\r\n"
	      "List-Archive: <https://s.example>\r\nList-Subscribe: <mailto:s@s.example>\r\n"
	      "List-Post: NO\r\nList-Help: <mailto:h@s.example>\r\nSender: s@shop.example\r\n"),
};
const unsigned corpus_n_headers = ARRAY_LEN(corpus_headers);

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

const struct slice corpus_bodies[] = {
	SLICE(""),
	SLICE("\r\n"),
	SLICE("\r\n\r\n\r\n"),
	SLICE(" \t \r\n\t\r\n"),
	SLICE(" "),
	SLICE("no line end"),
	SLICE("no line end but blanks \t"),
	SLICE("text\r\n"),
	SLICE("text\r\n\r\n\r\n \r\n"),
	SLICE("\r\n\r\ntext after blank lines\r\n"),
	SLICE(" \r\n\t\r\n  leading \t blanks\r\n"),
	SLICE("trailing  \r\nblanks\t\r\nboth \t \r\n"),
	SLICE("many   blanks\t\there  \t and   there\r\n"),
	SLICE("tab\tbecomes one blank\r\n\ttab first\r\n"),
	SLICE("gap\r\n\r\n  \r\n\t\r\ngap\r\n"),
	SLICE("\xff\xfe\x80\x00 NUL and 8-bit \x00\r\n\x00\r\n"),
	SLICE("a bare\nLF stays\n\r\nthere \n\r\n"),
	SLICE("vertical \x0b and form feed \x0c stay\x0c\r\n\x0b\r\n"),
	SLICE(THOUSAND "\r\n" THOUSAND " \r\n" THOUSAND THOUSAND "\r\n"),
	SLICE("x " HUNDRED "  " HUNDRED "\t" HUNDRED " \r\n\r\n" THOUSAND "  y\r\n\r\n"),
	SLICE("--b1\r\nContent-Type: text/plain\r\n\r\nHi "
	      "=\r\nthere\r\n--b1\r\n\r\n<p>\r\n--b1--\r\n"),
};
const unsigned corpus_n_bodies = ARRAY_LEN(corpus_bodies);

static uint32_t draw(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % n;
}

static void put_one(uint64_t *seed, const char *const *pieces, unsigned n, struct buf *out)
{
	buf_put(out, slice_str(pieces[draw(seed, n)]));
}

void corpus_random(uint64_t *seed, struct buf *out)
{
	static const char *const names[] = {
		"Subject",  "To",           "cc",         "Date",
		"Reply-To", "Message-ID",   "X-Any",      "List-Unsubscribe",
		"LIST-ID",  "Content-Type", "References", "Sender"
	};
	static const char *const colons[] = { ":", ": ", " :", "  : ", ":\t" };
	static const char *const words[] = { "a",     "word",          " ",     "  ", "\t",
					     "\r\n ", "\r\n\t ",       ";",     ":",  "\xc3\xa9",
					     "=",     "<x@y.example>", HUNDRED, "," };
	static const char *const text[] = { "a",    "word", " ",        "  ",    "\t",
					    "\r\n", "\r\n", "\r\n\r\n", "\n",    " \r\n",
					    "\x80", ".",    "=20",      HUNDRED, "\x0c" };
	unsigned fields = draw(seed, 12), from = draw(seed, fields + 1);

	for (unsigned i = 0; i <= fields; i++) {
		if (i == from)
			buf_put(out, SLICE("From: ana@shop.example\r\n"));
		put_one(seed, names, ARRAY_LEN(names), out);
		put_one(seed, colons, ARRAY_LEN(colons), out);
		for (unsigned k = draw(seed, 8); k > 0; k--)
			put_one(seed, words, ARRAY_LEN(words), out);
		buf_put(out, SLICE("\r\n"));
	}
	buf_put(out, SLICE("\r\n"));
	for (unsigned k = draw(seed, 60); k > 0; k--)
		put_one(seed, text, ARRAY_LEN(text), out);
}
