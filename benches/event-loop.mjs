// How long the event loop stands still at most while the files of a large repository are chosen: by the
// `filter` of a tree, by a pattern, and by a pattern that takes long.
//
//   node benches/event-loop.mjs [--files 300000]
import { createServer } from 'node:http';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answer, Child } from '../testing/measuring/child.mjs';
import { newReader } from '../testing/measuring/host.mjs';
import { zipOfNames } from './lib/zip.mjs';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const SELF = fileURLToPath(import.meta.url);
const COMMIT = 'c'.repeat(40);

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '300000' },
    serve: { type: 'boolean' },
  },
});

if (values.serve) {
  answer({ serve });
} else {
  const server = new Child(SELF, { args: ['--serve'] });
  const host = await server.ask('serve', Number(values.files));
  await run(host);
  await server.end();
}

async function run(host) {
  const azure = [{ host, plainHttp: 'allow' }];
  const workingDirectory = temporaryFolder('event-loop');
  const reader = await newReader('native', { azure, workingDirectory });
  const url = `http://${host}/o/p/_git/r`;
  const search = pattern =>
    reader.search(`${url}?path=${encodeURIComponent(pattern)}`);
  let asked = 0;
  const filter = name => {
    asked += 1;
    return name.endsWith('7.md');
  };
  const tree = await reader.readTree(url, { filter });
  await told(`filter over ${values.files} files`, () => tree.files());
  console.log(`  asked ${asked} times`);
  const all = await reader.readTree(url);
  await told(`${values.files} files without a filter`, () => all.files());
  await told('/**/?*[x].md', () => search('/**/?*[x].md'));
  await told('/**/*.md, by the archive', () => search('/**/*.md'));
  const hostile = `/**/${'*!('.repeat(60)}7.${')'.repeat(60)}`;
  await told('a pattern of exponential time', () => search(hostile));
  await told("'{a,b}/' seventeen times", () =>
    search(`/**/${'{a,b}/'.repeat(17)}`),
  );
}

/** Does something, and says for how long the event loop stood still at most. */
async function told(name, work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await new Promise(resolve => setTimeout(resolve, 50));
  delay.enable();
  await new Promise(resolve => setTimeout(resolve, 50));
  delay.reset();
  const startedAt = performance.now();
  const outcome = await work().then(
    result => `${(result.files ?? result).length} files`,
    error => `${error.name}: ${error.message.slice(0, 60)}…`,
  );
  const ms = performance.now() - startedAt;
  await new Promise(resolve => setTimeout(resolve, 50));
  delay.disable();
  const [longest, usual] = [delay.max, delay.percentile(99)];
  console.log(
    `${name}: ${ms.toFixed(0)} ms, of which the event loop stood still for ${(longest / 1e6).toFixed(1)} ms at most (99 %: ${(usual / 1e6).toFixed(1)} ms); ${outcome}`,
  );
}

/** A server with so many files in a repository, which it lists and sends as a zip. */
async function serve(files) {
  const names = Array.from({ length: files }, (_, n) => `d${n % 1000}/${n}.md`);
  const value = names.map(name => ({
    gitObjectType: 'blob',
    objectId: 'b'.repeat(40),
    path: `/${name}`,
  }));
  const list = JSON.stringify({ count: files, value });
  const zip = zipOfNames(names);
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://server');
    const isZip =
      request.headers.accept === 'application/zip' ||
      searchParams.get('$format') === 'zip';
    const [type, body] = pathname.endsWith('/commits')
      ? ['json', JSON.stringify({ count: 1, value: [{ commitId: COMMIT }] })]
      : isZip
        ? ['zip', zip]
        : ['json', list];
    response.setHeader('content-type', `application/${type}`);
    response.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  server.unref();
  return `127.0.0.1:${server.address().port}`;
}
