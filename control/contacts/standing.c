/* control/contacts/standing.c - words for those who want mail, and those who do not. */
#include "control/contacts/standing.h"

static const struct {
	enum contact_status status;
	const char *words; /* space-separated, folded, "_" left out */
} tables[] = {
	{ CONTACT_SUBSCRIBED,
	  "subscribed active enabled confirmed optedin optin valid ok allowed member"
	  " subscriber single double verified deliverable current" },
	{ CONTACT_SUBSCRIBED, "abonniert angemeldet aktiv bestatigt eingetragen abonnent" },
	{ CONTACT_SUBSCRIBED, "abonne abonnee inscrit inscrite actif active confirme" },
	{ CONTACT_SUBSCRIBED, "suscrito suscrita suscripto activo activa confirmado" },
	{ CONTACT_SUBSCRIBED, "ingeschreven geabonneerd actief aangemeld bevestigd" },
	{ CONTACT_UNSUBSCRIBED,
	  "unsubscribed unsubscribe unsub optedout optout inactive disabled blocklisted blocklist"
	  " blacklisted blacklist blocked banned suppressed suppress removed deleted archived "
	  "cancelled"
	  " canceled revoked withdrawn denied rejected declined donotmail donotemail donotcontact"
	  " globalunsubscribe globallyunsubscribed nonsubscribed notsubscribed neversubscribed"
	  " nonsubscriber unconfirmed notconfirmed pending awaitingconfirmation transactional"
	  " nonmarketing excluded forgotten redacted invited junk paused held" },
	{ CONTACT_UNSUBSCRIBED,
	  "abgemeldet ausgetragen inaktiv gesperrt deaktiviert gekundigt nichtabonniert unbestatigt"
	  " nichtbestatigt ausstehend widerrufen geloscht archiviert" },
	{ CONTACT_UNSUBSCRIBED, "desabonne desabonnee desinscrit desinscrite inactif bloque "
				"nonabonne nonconfirme enattente"
				" supprime archive" },
	{ CONTACT_UNSUBSCRIBED,
	  "dadodebaja dadadebaja baja cancelado cancelada inactivo bloqueado nosuscrito anulado"
	  " pendiente noconfirmado eliminado archivado" },
	{ CONTACT_UNSUBSCRIBED, "uitgeschreven afgemeld inactief geblokkeerd nietgeabonneerd "
				"nietingeschreven nietbevestigd"
				" inafwachting verwijderd gearchiveerd" },
	/* Italian, Portuguese, Swedish, Danish, Norwegian, Polish; HubSpot */
	{ CONTACT_SUBSCRIBED,
	  "iscritto iscritta attivo attiva confermato inscrito inscrita ativo ativa"
	  " assinante prenumererar tilmeldt pameldt zapisany zapisana aktywny"
	  " marketingcontact" },
	{ CONTACT_UNSUBSCRIBED,
	  "disiscritto disiscritta cancellato cancellata annullato inattivo bloccato inattiva"
	  " nonconfermato noniscritto descadastrado descadastrada naoinscrito inativo inativa"
	  " bloqueada naoconfirmado avregistrerad avprenumererad avmeldt frameldt afmeldt"
	  " wypisany wypisana nieaktywny nonmarketingcontact" },
	{ CONTACT_BOUNCED,
	  "cleaned bounced bounce hardbounce hardbounced softbounced invalid undeliverable "
	  "undelivered"
	  " failed dead bouncing bereinigt unzustellbar ungultig nettoye rebond invalide rebotado"
	  " limpiado invalido opgeschoond gebounced ongeldig onbestelbaar" },
	{ CONTACT_COMPLAINED,
	  "complained complaint complainer spam spamcomplaint spamreport reportedspam markedasspam"
	  " spammed abuse abusecomplaint abusereport beschwerde plainte queja klacht" },
};

int standing_of_word(struct slice word)
{
	char folded[TITLE_FOLDED_MAX];

	title_squeeze(word, folded);
	for (size_t i = 0; *folded && i < ARRAY_LEN(tables); i++)
		if (title_among(tables[i].words, folded))
			return tables[i].status;
	return 0;
}

enum flag_answer { ANSWER_NONE, ANSWER_YES, ANSWER_NO };

static enum flag_answer answer_of(struct slice cell)
{
	char folded[TITLE_FOLDED_MAX];

	title_squeeze(cell, folded);
	if (title_among("yes y true t 1 x on ja j oui o si s waar vrai wahr verdadero", folded))
		return ANSWER_YES;
	if (title_among("no n false f 0 off nein non nee onwaar faux falsch falso never", folded))
		return ANSWER_NO;
	return ANSWER_NONE;
}

/* "2024-01-31 10:00", "1/31/2024", "31.01.24": digits parted by the signs of dates, and no word. */
static bool is_moment(struct slice cell)
{
	unsigned digits = 0, signs = 0;

	for (size_t i = 0; i < cell.n; i++) {
		bool digit = cell.p[i] >= '0' && cell.p[i] <= '9';

		digits += digit;
		signs += strchr("-/.:", cell.p[i]) && cell.p[i];
	}
	return cell.n && cell.p[0] >= '0' && cell.p[0] <= '9' && digits >= 4 && signs >= 2;
}

int standing_of_cell(enum title_target target, struct slice cell)
{
	enum flag_answer answer = answer_of(cell);
	bool out = target == TITLE_OPT_OUT || target == TITLE_BOUNCED;

	if (!cell.n)
		return CONTACT_SUBSCRIBED;
	if (target == TITLE_STATUS || (answer == ANSWER_NONE && !is_moment(cell)))
		return standing_of_word(cell);
	if (out && answer != ANSWER_NO)
		return target == TITLE_BOUNCED ? CONTACT_BOUNCED : CONTACT_UNSUBSCRIBED;
	return !out && answer == ANSWER_NO ? CONTACT_UNSUBSCRIBED : CONTACT_SUBSCRIBED;
}
