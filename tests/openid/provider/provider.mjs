// A certified provider with one client. Arguments: the folder oidc-provider is installed in, and a JSON object
// { client_id, client_secret, redirect_uri }. Anybody may sign in under any name; who is not called `unverified…` has a verified address.
// Prints { issuer } once it listens. Keys are made at the start and changed by POST /rotate.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, wish] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(folder, 'node_modules/oidc-provider/lib/index.js')));
const client = JSON.parse(wish);

function key(kid) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

function provider(issuer, kid) {
  return new Provider(issuer, {
    clients: [{
      client_id: client.client_id,
      client_secret: client.client_secret,
      redirect_uris: [client.redirect_uri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['of tests'] },
    features: { devInteractions: { enabled: true } },
    jwks: { keys: [key(kid)] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: !id.startsWith('unverified'), name: `Person ${id}` }),
    }),
  });
}

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  let number = 1;
  let answer = provider(issuer, `key-${number}`).callback();
  server.on('request', (request, response) => {
    if (request.method === 'POST' && request.url === '/rotate') {
      number += 1;
      answer = provider(issuer, `key-${number}`).callback();
      response.writeHead(204).end();
      return;
    }
    answer(request, response);
  });
  process.stdout.write(`${JSON.stringify({ issuer })}\n`);
});
// Whoever started us is gone.
process.stdin.resume().on('end', () => process.exit(0));
