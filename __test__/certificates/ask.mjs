// Asks servers as Node's own fetch does and as this package does; prints what came of each, and what was
// logged, as JSON.
import { fetch, ProxyAgent } from 'undici';
import { readerOf } from '../../testing/processReader.mjs';

const { HTTPS_PROXY } = process.env;
const dispatcher = HTTPS_PROXY && new ProxyAgent(HTTPS_PROXY);

const warnings = [];
const logger = { info() {}, warn: message => warnings.push(message) };

const answers = [];
for (const origin of JSON.parse(process.argv[2])) {
  answers.push({
    node: await told(() => fetch(origin, { dispatcher })),
    here: await told(() => read(`${origin}/org/project/_git/repo?path=/a`)),
  });
}
console.log(JSON.stringify({ answers, warnings }));
process.exit();

async function read(url) {
  const answer = await readerOf(url, undefined, logger).readUrl(url);
  return { text: async () => String(await answer.buffer()) };
}

async function told(ask) {
  try {
    const answer = await ask();
    return await answer.text();
  } catch (error) {
    return { refused: error.cause?.code ?? 'refused', message: error.message };
  }
}
