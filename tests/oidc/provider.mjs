// provider.mjs SETTINGS.json - an OpenID Connect provider for tests, by the package oidc-provider, with its own pages for
// logging in.  SETTINGS: {issuer, port, key, cert, modules, clients: [...], accounts: {login: claims}}.
import fs from 'node:fs';
import https from 'node:https';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse(fs.readFileSync(process.argv[2]));
const { default: Provider, interactionPolicy } = await import(pathToFileURL(`${settings.modules}/oidc-provider/lib/index.js`));
const accounts = () => JSON.parse(fs.readFileSync(process.argv[2])).accounts;
const policy = interactionPolicy.base();
policy.get('login').requestable = true;
const provider = new Provider(settings.issuer, {
	clients: settings.clients,
	claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
	features: { devInteractions: { enabled: true } },
	pkce: { methods: ['S256'], required: () => true },
	interactions: { policy },
	jwks: settings.jwks,
	async findAccount(ctx, login) {
		const claims = accounts()[login];
		return claims && { accountId: login, async claims() { return { sub: login, ...claims }; } };
	},
});
const tls = { key: fs.readFileSync(settings.key), cert: fs.readFileSync(settings.cert) };
https.createServer(tls, provider.callback()).listen(settings.port, '127.0.0.1');
