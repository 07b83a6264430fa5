/* control/contacts/title.c - folding titles, and the tables of them by language. */
#include "control/contacts/title.h"

#include "base/blanks.h"
#include "base/encode.h"

struct slice title_cell(struct slice raw)
{
	struct slice text = blanks_trim(raw), inner = text;

	if (text.n < 3 || text.p[text.n - 1] != '"' || !slice_strip(&inner, SLICE("=\"")))
		return text;
	inner.n--;
	return blanks_trim(inner);
}

/* ---- folding ----------------------------------------------------------------------------- */

/* Base letters of U+00C0 to U+017F; "*" is no letter, "$" is sharp s, "@" is ae, "&" is oe. */
static const char base_letters[] = "aaaaaa@ceeeeiiii" /* 00c0 */
				   "dnooooo*ouuuuyt$"
				   "aaaaaa@ceeeeiiii" /* 00e0 */
				   "dnooooo*ouuuuyty"
				   "aaaaaaccccccccdd" /* 0100 */
				   "ddeeeeeeeeeegggg"
				   "gggghhhhiiiiiiii" /* 0120 */
				   "iiiijjkkklllllll"
				   "lllnnnnnnnnnoooo" /* 0140 */
				   "oo&&rrrrrrssssss"
				   "ssttttttuuuuuuuu" /* 0160 */
				   "uuuuwwyyyzzzzzzs";

static uint32_t take_point(struct slice *s)
{
	const unsigned char *b = (const unsigned char *)s->p;
	size_t n = utf8_length(*s);
	uint32_t c = n == 2   ? (uint32_t)((b[0] & 0x1f) << 6 | (b[1] & 0x3f))
		     : n == 3 ? (uint32_t)((b[0] & 0x0f) << 12 | (b[1] & 0x3f) << 6 | (b[2] & 0x3f))
		     : n == 1 ? b[0]
			      : 0;

	*s = slice_skip(*s, MAX_OF(n, (size_t)1));
	return c;
}

/* The letters that a code point is folded to; NULL: it is left out, "": it parts words. */
static const char *letters(uint32_t c, char one[2])
{
	if ((c >= 0x300 && c <= 0x36f) || c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0xfeff)
		return NULL;
	one[0] = c >= 0xc0 && c <= 0x17f ? base_letters[c - 0xc0]
		 : c < 0x80              ? ascii_lower((char)c)
					 : '*';
	if (one[0] == '$')
		return c < 0x80 ? "" : "ss";
	if (one[0] == '@' || one[0] == '&')
		return c < 0x80 ? "" : one[0] == '@' ? "ae" : "oe";
	return (one[0] >= 'a' && one[0] <= 'z') || (one[0] >= '0' && one[0] <= '9') ? one : "";
}

void title_fold(struct slice title, char out[TITLE_FOLDED_MAX])
{
	char one[2] = "";
	size_t n = 0;

	while (title.n && n + 2 < TITLE_FOLDED_MAX) {
		const char *add = letters(take_point(&title), one);

		if (add && !*add && n && out[n - 1] != '_')
			out[n++] = '_';
		for (; add && *add; add++)
			out[n++] = *add;
	}
	while (n && out[n - 1] == '_')
		n--;
	out[n] = '\0';
}

static void drop_underscores(char *text)
{
	size_t n = 0;

	for (const char *p = text; *p; p++)
		if (*p != '_')
			text[n++] = *p;
	text[n] = '\0';
}

void title_squeeze(struct slice title, char out[TITLE_FOLDED_MAX])
{
	title_fold(title, out);
	drop_underscores(out);
}

bool title_alike(struct slice a, struct slice b)
{
	char x[TITLE_FOLDED_MAX], y[TITLE_FOLDED_MAX];

	title_squeeze(a, x);
	title_squeeze(b, y);
	return *x && strcmp(x, y) == 0;
}

/* ---- tables ------------------------------------------------------------------------------ */

/* Space-separated, squeezed. */
static const struct {
	enum title_target target;
	const char *titles;
} tables[] = {
	/* English; Outlook, Google ("E-mail 1 - Value"), Mailchimp, HubSpot, Brevo, Shopify */
	{ TITLE_EMAIL,
	  "email mail emailaddress mailaddress emailadress emailid primaryemail"
	  " primaryemailaddress emailprimary contactemail subscriberemail customeremail"
	  " useremail youremail email1 email1value email1address emailaddress1" },
	{ TITLE_FIRST, "firstname fname first givenname givennames forename christianname" },
	{ TITLE_LAST, "lastname lname last surname familyname" },
	{ TITLE_STATUS, "status subscriptionstatus subscriberstatus contactstatus emailstatus"
			" memberstatus marketingstatus marketingcontactstatus emailmarketingstatus "
			"emailsubscriptionstatus"
			" newsletterstatus mailingstatus optinstatus consentstatus mailstatus"
			" emailmarketingconsentstate subscriptionstate subscribestatus" },
	{ TITLE_OPT_OUT,
	  "unsubscribed unsubscribedat unsubscribedate unsubscribetime unsubtime"
	  " unsubscribedon unsubscribeddate isunsubscribed unsubscribe optout optedout"
	  " optedoutat optouttime optoutdate emailoptout emailoptedout"
	  " hasoptedoutofemail optedoutofemail unsubscribedfromallemail"
	  " donotemail donotmail donotcontact emailblacklisted blacklisted blacklist"
	  " blocklisted blocklist blocked suppressed isblacklisted dnc" },
	{ TITLE_BOUNCED, "bounced bouncedat hardbounced hardbounce hardbouncedat isbounced cleaned"
			 " cleanedat cleantime" },
	{ TITLE_OPT_IN, "subscribed issubscribed confirmed isconfirmed active isactive enabled "
			"optin optedin emailoptin "
			"doubleoptin acceptsmarketing"
			" acceptsemailmarketing emailmarketingconsent marketingconsent"
			" marketingpermission" },
	/* German */
	{ TITLE_EMAIL, "emailadresse mailadresse email1adresse emailadresse1 epostadresse" },
	{ TITLE_FIRST, "vorname rufname" },
	{ TITLE_LAST, "nachname familienname zuname" },
	{ TITLE_STATUS, "abostatus abonnementstatus abonnementsstatus anmeldestatus"
			" abonnentenstatus newsletterstatus" },
	{ TITLE_OPT_OUT, "abgemeldet abgemeldetam abmeldung abmeldedatum abmeldezeitpunkt"
			 " gesperrt" },
	{ TITLE_OPT_IN, "abonniert angemeldet erlaubniszummarketing marketingerlaubnis" },
	/* French */
	{ TITLE_EMAIL, "adresseemail adressemail adressedemessagerie adresseelectronique courriel"
		       " adressecourriel adressedecourriel courrierelectronique messagerie"
		       " adressedecourrierelectronique adresseemail1 adresse1demessagerie" },
	{ TITLE_FIRST, "prenom prenoms" },
	{ TITLE_LAST, "nom nomdefamille" },
	{ TITLE_STATUS, "statut statutabonnement statutdabonnement statutdelabonnement"
			" etatdelabonnement" },
	{ TITLE_OPT_OUT, "desabonne desabonnele desinscrit desinscritle datededesinscription"
			 " datededesabonnement" },
	{ TITLE_OPT_IN, "abonne inscrit autorisationmarketing" },
	/* Spanish */
	{ TITLE_EMAIL, "correoelectronico correo direcciondecorreoelectronico direcciondecorreo"
		       " direcciondeemail direccionemail direcciondecorreoelectronico1" },
	{ TITLE_FIRST, "nombre nombres nombredepila primernombre" },
	{ TITLE_LAST, "apellido apellidos primerapellido" },
	{ TITLE_STATUS, "estadodesuscripcion estadodelasuscripcion estadosuscripcion"
			" estadodelsuscriptor estatus" },
	{ TITLE_OPT_OUT, "dadodebaja fechadebaja baja cancelado suscripcioncancelada" },
	{ TITLE_OPT_IN, "suscrito permisodemarketing" },
	/* Dutch */
	{ TITLE_EMAIL, "emailadres mailadres emailadres1" },
	{ TITLE_FIRST, "voornaam roepnaam" },
	{ TITLE_LAST, "achternaam familienaam" },
	{ TITLE_STATUS, "inschrijfstatus abonneestatus abonnementsstatus statusvanabonnement" },
	{ TITLE_OPT_OUT, "uitgeschreven uitgeschrevenop afgemeld afgemeldop geblokkeerd" },
	{ TITLE_OPT_IN, "ingeschreven geabonneerd marketingtoestemming" },
	/* Italian, Portuguese, Swedish, Danish, Norwegian, Polish */
	{ TITLE_EMAIL, "indirizzoemail indirizzodiposta indirizzodipostaelettronica"
		       " postaelettronica indirizzomail enderecodeemail enderecoemail"
		       " correioeletronico epost epostadress mejladress emailadress adresemail" },
	{ TITLE_FIRST, "nome primeironome fornamn fornavn imie" },
	{ TITLE_LAST, "cognome sobrenome apelido efternamn efternavn etternavn nazwisko" },
	{ TITLE_STATUS, "statoiscrizione statodelcontatto statusdainscricao statusdocontato"
			" estadodocontato" },
	{ TITLE_OPT_OUT, "disiscritto disiscritta disiscrizione datadisiscrizione descadastrado"
			 " cancelouainscricao avregistrerad avmeldt frameldt wypisany" },
	{ TITLE_OPT_IN, "iscritto iscritta inscrito inscrita" },
};

bool title_among(const char *words, const char *word)
{
	struct slice rest = slice_str(words);

	while (rest.n)
		if (slice_eq(slice_take(&rest, ' '), slice_str(word)))
			return true;
	return false;
}

enum title_target title_find(const char *folded)
{
	char squeezed[TITLE_FOLDED_MAX];

	slice_copy(squeezed, sizeof(squeezed), slice_str(folded));
	drop_underscores(squeezed);
	for (size_t i = 0; *squeezed && i < ARRAY_LEN(tables); i++)
		if (title_among(tables[i].titles, squeezed))
			return tables[i].target;
	return TITLE_NONE;
}

enum title_target title_hint(struct slice title)
{
	static const struct {
		enum title_target target;
		const char *part;
	} parts[] = {
		{ TITLE_OPT_OUT, "unsubscri" },    { TITLE_OPT_OUT, "optout" },
		{ TITLE_OPT_OUT, "optedout" },     { TITLE_OPT_OUT, "optsout" },
		{ TITLE_OPT_OUT, "donotmail" },    { TITLE_OPT_OUT, "donotemail" },
		{ TITLE_OPT_OUT, "donotcontact" }, { TITLE_OPT_OUT, "donotsend" },
		{ TITLE_OPT_OUT, "complain" },     { TITLE_OPT_OUT, "blacklist" },
		{ TITLE_OPT_OUT, "blocklist" },    { TITLE_OPT_OUT, "suppress" },
		{ TITLE_OPT_OUT, "abgemeldet" },   { TITLE_OPT_OUT, "desabonn" },
		{ TITLE_OPT_OUT, "desinscri" },    { TITLE_OPT_OUT, "uitgeschreven" },
		{ TITLE_OPT_OUT, "afgemeld" },     { TITLE_OPT_IN, "consent" },
		{ TITLE_OPT_IN, "optin" },         { TITLE_OPT_IN, "optedin" },
		{ TITLE_OPT_IN, "permission" },    { TITLE_OPT_IN, "subscribe" },
		{ TITLE_OPT_IN, "newsletter" },    { TITLE_OPT_IN, "einwilligung" },
		{ TITLE_OPT_IN, "toestemming" },
	};
	char squeezed[TITLE_FOLDED_MAX];

	title_squeeze(title, squeezed);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (strstr(squeezed, parts[i].part))
			return parts[i].target;
	return TITLE_NONE;
}

enum title_target title_find_member(const char *folded)
{
	static const char *const members[] = {
		[TITLE_EMAIL] = "email",
		[TITLE_FIRST] = "first_name",
		[TITLE_LAST] = "last_name",
		[TITLE_STATUS] = "status",
	};

	for (int i = TITLE_EMAIL; i < (int)ARRAY_LEN(members); i++)
		if (strcmp(folded, members[i]) == 0)
			return (enum title_target)i;
	return TITLE_NONE;
}
