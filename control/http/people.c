/* control/http/people.c - the page that people see when a link does not work. */
#include "control/http/people.h"

#include <stdio.h>

#include "control/http/accept.h"
#include "control/http/private.h"

struct words {
	const char *language;
	const char *broken, *broken_text; /* 4xx */
	const char *failed, *failed_text; /* 429 and 5xx */
};
/* clang-format off */
static const struct words table[] = {
	{ "en", "This link does not work",
	  "It is not complete, or what it led to is no longer there. Copy the whole link from the message. "
	  "If that does not help, answer the message and ask its sender.",
	  "This does not work at the moment", "Please try again in a few minutes." },
	{ "de", "Dieser Link funktioniert nicht",
	  "Er ist nicht vollständig, oder sein Ziel gibt es nicht mehr. Kopieren Sie den ganzen Link aus der Nachricht. "
	  "Wenn das nicht hilft, antworten Sie auf die Nachricht und fragen Sie den Absender.",
	  "Das geht im Augenblick nicht", "Bitte versuchen Sie es in einigen Minuten noch einmal." },
	{ "fr", "Ce lien ne fonctionne pas",
	  "Il est incomplet, ou sa destination n’existe plus. Copiez le lien entier depuis le message. "
	  "Si cela ne suffit pas, répondez au message et demandez à son expéditeur.",
	  "Cela ne fonctionne pas pour le moment", "Veuillez réessayer dans quelques minutes." },
	{ "es", "Este enlace no funciona",
	  "Está incompleto, o su destino ya no existe. Copie el enlace entero del mensaje. "
	  "Si no basta, responda al mensaje y pregunte al remitente.",
	  "Esto no funciona en este momento", "Inténtelo de nuevo dentro de unos minutos." },
	{ "nl", "Deze link werkt niet",
	  "Hij is niet volledig, of het doel bestaat niet meer. Kopieer de hele link uit het bericht. "
	  "Helpt dat niet, beantwoord dan het bericht en vraag het de afzender.",
	  "Dit werkt op dit moment niet", "Probeer het over een paar minuten opnieuw." },
};
/* clang-format on */

/* ---- what the headers ask for ------------------------------------------------------------- */

/* How much a type is wanted: the most exact range counts. */
struct wish {
	int exactness, weight;
};

static void note(struct wish *w, struct slice range, int weight, const char *type)
{
	struct slice whole = slice_str(type);
	size_t slash = (size_t)(strchr(type, '/') - type);
	int exactness = slice_eq_nocase(range, whole) ? 3
			: range.n == slash + 2 && range.p[range.n - 1] == '*' &&
				slice_starts_nocase(whole, slice_of(range.p, slash + 1))
			    ? 2
			: slice_eq(range, SLICE("*/*")) ? 1
							: 0;

	if (exactness > w->exactness)
		*w = (struct wish){ exactness, weight };
}

bool people_accept_html(struct slice accept)
{
	struct wish html = { 0 }, json = { 0 }, refusal = { 0 };
	struct slice range;
	int weight;

	if (!slice_trim(accept).n)
		return true;
	while (accept_next(&accept, &range, &weight)) {
		note(&html, range, weight, "text/html");
		note(&json, range, weight, "application/json");
		note(&refusal, range, weight, "application/problem+json");
	}
	if (refusal.exactness > json.exactness)
		json = refusal;
	if (html.weight != json.weight)
		return html.weight > json.weight;
	return html.weight > 0 && html.exactness >= json.exactness;
}

const char *people_language(struct slice accept)
{
	const char *best = table[0].language;
	struct slice name;
	int weight, most = 0;

	while (accept_next(&accept, &name, &weight))
		for (size_t i = 0; i < ARRAY_LEN(table); i++)
			if (weight > most &&
			    slice_starts_nocase(name, slice_str(table[i].language)) &&
			    (name.n == 2 || name.p[2] == '-')) {
				best = table[i].language;
				most = weight;
			}
	return best;
}

static const struct words *words_of(const char *language)
{
	const struct words *w = table;

	while (strcmp(w->language, language) != 0)
		w++;
	return w;
}

/* ---- the page ------------------------------------------------------------------------------ */

static void put_page(struct buf *out, const struct words *w, unsigned status)
{
	bool later = status >= 500 || status == 429;
	const char *title = later ? w->failed : w->broken;
	char head[512];

	(void)snprintf(
	    head, sizeof(head),
	    "<!doctype html><html lang=\"%s\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
	    "content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\">"
	    "<title>%s</title><h1>%s</h1><p>",
	    w->language, title, title);
	buf_put(out, slice_str(head));
	buf_put(out, slice_str(later ? w->failed_text : w->broken_text));
	buf_put(out, SLICE("</p></html>\n"));
}

static bool asks_a_person(struct call_request *q)
{
	/* A path without a route has no body yet; what is there of it decides. */
	if (!strcmp(q->method, "POST") &&
	    slice_starts_nocase(buf_data(&q->body), SLICE("List-Unsubscribe=One-Click")))
		return false;
	return people_accept_html(call_header(&q->call, "Accept"));
}

void people_answer(struct call_request *q)
{
	struct http_reply *reply = &q->reply;
	const char *language;

	if (q->listener != LISTEN_PUBLIC || reply->status < 400 || !asks_a_person(q))
		return;
	buf_clear(&reply->body);
	language = people_language(call_header(&q->call, "Accept-Language"));
	put_page(&reply->body, words_of(language), reply->status);
	slice_copy(reply->type, sizeof(reply->type), SLICE("text/html; charset=utf-8"));
}
