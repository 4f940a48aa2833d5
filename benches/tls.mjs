// TLS alone: new connections per second, and reads per second over one connection of HTTP/2, of this
// build beside those of others, in turns.
//
//   node benches/tls.mjs [folder of another build …]
import { constants } from 'node:crypto';
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/cjs/api';
import { answer, Child } from '../testing/measuring/child.mjs';
import { measure, median } from '../testing/measuring/figures.mjs';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const SELF = fileURLToPath(import.meta.url);
const ROUNDS = 7;
const CONTENT = Buffer.alloc(1600, 'a');
const KEYS = ['P-256', 'RSA 2048'];

const require = createRequire(import.meta.url);
const [role, ...given] = process.argv.slice(2);

if (role === '--serve') {
  answer({ serve });
} else if (role === '--read') {
  answer({ read });
} else {
  await compare([path.join(SELF, '../../dist'), role, ...given]);
}

async function compare(folders) {
  const builds = folders.filter(Boolean);
  const directory = temporaryFolder('tls');
  const caFile = path.join(directory, 'ca.pem');
  const server = new Child(SELF, { args: ['--serve'] });
  const subjects = await server.ask('serve', caFile);
  const env = { NODE_EXTRA_CA_CERTS: caFile };
  const readers = builds.map(
    folder => new Child(SELF, { args: ['--read', folder], env }),
  );
  for (const [name, options] of subjects) {
    const figures = builds.map(() => []);
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [place, reader] of readers.entries()) {
        const one = await reader.ask('read', options);
        if (round > 0) figures[place].push(one);
      }
    }
    for (const [place, all] of figures.entries()) {
      const rate = median(all.map(({ perSecond }) => perSecond));
      const cpu = median(all.map(({ cpuUs }) => cpuUs));
      console.log(
        `${name}: ${rate.toFixed(0)}/s, ${cpu.toFixed(0)} µs of CPU each, ${builds[place]}`,
      );
    }
  }
  await Promise.all([server, ...readers].map(child => child.end()));
}

/** Servers that end each connection after one answer, and one that speaks HTTP/2. */
async function serve(caFile) {
  register();
  const { certificate } = require('../testing/certificates/Certificate.ts');
  const authority = certificate({ name: 'CA', ca: true });
  writeFileSync(caFile, authority.pem);
  const of = key => {
    const own = certificate({
      name: 'a',
      dns: ['localhost'],
      by: authority,
      key,
    });
    return { key: own.keyPem, cert: own.pem };
  };
  const subjects = [];
  for (const key of KEYS) {
    // Without tickets, each handshake is a whole one.
    const settings = { ...of(key), secureOptions: constants.SSL_OP_NO_TICKET };
    const server = createServer(settings, (request, response) => {
      if (request.socket.isSessionReused()) throw new Error('resumed');
      response.setHeader('connection', 'close').end(CONTENT);
    });
    const port = await listen(server);
    subjects.push([`connections, ${key}`, { port, count: 400, atOnce: 8 }]);
  }
  const server = createSecureServer(of('P-256'), (_request, response) =>
    response.end(CONTENT),
  );
  const port = await listen(server);
  subjects.push(['reads over HTTP/2', { port, count: 8000, atOnce: 64 }]);
  return subjects;
}

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

let readers;

async function read({ port, count, atOnce }) {
  const { AzureIntegration, AzureUrlReader, ...rest } = require(
    path.resolve(given[0]),
  );
  readers ??= new Map();
  if (!readers.has(port)) {
    const integration = new AzureIntegration({ host: `localhost:${port}` });
    const azure = { list: () => [integration] };
    const credentialsProvider =
      rest.DefaultAzureDevOpsCredentialsProvider.fromIntegrations({ azure });
    readers.set(port, new AzureUrlReader(integration, { credentialsProvider }));
  }
  const reader = readers.get(port);
  const url = `https://localhost:${port}/o/p/_git/r?path=/a`;
  let left = count;
  const { figures } = await measure(() =>
    Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (left-- > 0) await (await reader.readUrl(url)).buffer();
      }),
    ),
  );
  return {
    perSecond: (count / figures.ms) * 1000,
    cpuUs: (figures.cpuMs * 1000) / count,
  };
}
