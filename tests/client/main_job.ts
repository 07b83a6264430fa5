// The demo's main job as a program of a user does it, with types made from schema/openapi.yaml: sign up, log in, add a
// domain, import contacts, write a template, send a campaign, read its statistics.
// main_job.js URL - prints "publish RECORDS" and waits for a line on standard input before it has the domain verified;
// prints "sent STATISTICS" at the end.
import { once } from "node:events";
import createClient from "openapi-fetch";
import type { components, paths } from "./postern.js";

type Problem = components["schemas"]["Problem"];

const url = process.argv[2];
if (url === undefined) throw new Error("usage: main_job.js URL");
const api = createClient<paths>({ baseUrl: url });

interface Answer<T> {
  data?: T;
  error?: Problem;
  response: Response;
}

/** The answer's data; a refusal ends the program with what the service says. */
function expect<T>(answer: Answer<T>): T {
  if (answer.data === undefined) {
    const why = answer.error;
    throw new Error(`${answer.response.url}: ${why?.status} ${why?.code} ${why?.detail ?? ""}`);
  }
  return answer.data;
}

async function poll<T>(what: string, ask: () => Promise<T>, done: (t: T) => boolean): Promise<T> {
  for (let n = 0; n < 600; n++) {
    const seen = await ask();
    if (done(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: not done after a minute`);
}

async function enter(): Promise<void> {
  const person = { email: "ann@sender.test", password: "correct horse battery" };
  expect(await api.POST("/v1/auth/signup", { body: { organization: "Sender Ltd", ...person } }));
  const session = expect(await api.POST("/v1/auth/login", { body: person }));
  if (!("token" in session)) throw new Error("a second factor is due");
  api.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${session.token}`);
      return request;
    },
  });
  const me = expect(await api.GET("/v1/me"));
  if (me.role !== "admin" || !me.permissions.includes("campaigns.send")) throw new Error("not an admin");
}

async function addDomain(name: string): Promise<void> {
  const domain = expect(await api.POST("/v1/domains", { body: { name } }));
  const params = { path: { domain_id: domain.id } };
  const { records } = expect(await api.GET("/v1/domains/{domain_id}/records", { params }));
  console.log(`publish ${JSON.stringify(records)}`);
  await once(process.stdin, "data");
  const checked = expect(await api.POST("/v1/domains/{domain_id}/verify", { params }));
  if (checked.status !== "verified") throw new Error(`the domain is ${checked.status}`);
}

async function importContacts(csv: string): Promise<string> {
  const list = expect(await api.POST("/v1/lists", { body: { name: "Readers" } }));
  expect(await api.POST("/v1/fields", { body: { name: "city", type: "text" } }));
  const started = expect(
    await api.POST("/v1/imports", {
      params: { query: { list: list.id } },
      headers: { "Content-Type": "text/csv" },
      body: csv,
      bodySerializer: (text) => text,
    }),
  );
  const params = { path: { import_id: started.id } };
  const ended = await poll(
    "import",
    async () => expect(await api.GET("/v1/imports/{import_id}", { params })),
    (job) => job.finished_at !== null,
  );
  if (ended.status !== "completed" || ended.invalid > 0) throw new Error(JSON.stringify(ended));
  return list.id;
}

/** Writes a template, and changes it as somebody who read it before. */
async function writeTemplate(): Promise<string> {
  const made = await api.POST("/v1/templates", {
    body: { name: "News", alias: "news", subject: "News for {{first_name}}", text: "Hello {{first_name}}" },
    params: { header: { "Idempotency-Key": "news-1" } },
  });
  const template = expect(made);
  const params = {
    path: { template_id: template.id },
    header: { "If-Match": made.response.headers.get("ETag") ?? "" },
  };
  const text = "Hello {{first_name}} of {{city}}\n\nUnsubscribe: {{unsubscribe_url}}\n";
  const changed = expect(await api.PATCH("/v1/templates/{template_id}", { params, body: { text } }));
  if (changed.version !== template.version + 1) throw new Error("no new version");
  return changed.id;
}

async function send(template: string, list: string, n: number): Promise<void> {
  const from = { name: "Sender", email: "news@sender.test" };
  const campaign = expect(
    await api.POST("/v1/campaigns", { body: { name: "February", template, lists: [list], from } }),
  );
  const params = { path: { campaign_id: campaign.id } };
  const ready = expect(await api.POST("/v1/campaigns/{campaign_id}/check", { params }));
  if (ready.contacts !== n) throw new Error(`${ready.contacts} contacts are ready, not ${n}`);
  expect(await api.POST("/v1/campaigns/{campaign_id}/send", { params, body: {} }));
  await poll(
    "campaign",
    async () => expect(await api.GET("/v1/campaigns/{campaign_id}/progress", { params })),
    ({ states }) => states.delivered === n,
  );
  const page = expect(await api.GET("/v1/campaigns/{campaign_id}/recipients", { params }));
  if (page.data.some((recipient) => recipient.state !== "delivered")) throw new Error(JSON.stringify(page));
  const stats = expect(await api.GET("/v1/campaigns/{campaign_id}/stats", { params }));
  const delivered = stats.series.reduce((sum, minute) => sum + minute.delivered, 0);
  console.log(`sent ${JSON.stringify({ audience: stats.audience, delivered })}`);
}

/** A refusal has the type that the document says, too. */
async function readRefusal(): Promise<void> {
  const { error, response } = await api.POST("/v1/lists", { body: { name: "" } });
  if (response.status !== 422 || error?.errors?.[0]?.pointer !== "/name") {
    throw new Error(`a list without a name: ${response.status} ${JSON.stringify(error)}`);
  }
}

const people = Array.from({ length: 20 }, (_, i) => `person${i}@d1.test,Ann${i},Town${i}`);
await enter();
await addDomain("sender.test");
const list = await importContacts(`email,first_name,city\n${people.join("\n")}\n`);
await send(await writeTemplate(), list, people.length);
await readRefusal();
process.exit(0);
