// Asks for URLs side by side, with a `fetch` that goes as Node 24's or with a reader of this package,
// and prints why each of them failed. Arguments: `fetch` or `reader`; the URLs, as JSON; a proxy to be
// set in code.
import dns from 'node:dns';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [by, urls, proxyInCode] = process.argv.slice(2);

/** Where nobody waits for a proxy any more. */
const GIVEN_UP = 15_000;

if (proxyInCode) {
  const { ProxyAgent, setGlobalDispatcher } = require('undici-of-node-24');
  setGlobalDispatcher(new ProxyAgent(proxyInCode));
}

const ask = by === 'reader' ? read : fetchLikeNode24();
const messages = await Promise.all(JSON.parse(urls).map(message));
console.log(JSON.stringify(messages));
process.exit();

async function message(url) {
  try {
    await ask(url, AbortSignal.timeout(GIVEN_UP));
    return '';
  } catch (error) {
    return chain(error);
  }
}

async function read(url, signal) {
  const { readerOf } = await import('../../testing/processReader.mjs');
  const config = { plainHttp: 'allow', retry: { maxRetries: 0 } };
  await readerOf(url, config).readUrl(url, { signal });
}

/** Node 24's own, set up by its environment; before that, the code that Node 24 is built from. */
function fetchLikeNode24() {
  knowOnlyThisMachine();
  if (parseInt(process.versions.node) >= 24)
    return (url, signal) => fetch(url, { signal });
  const undici = require('undici-of-node-24');
  if (!proxyInCode) undici.setGlobalDispatcher(new undici.EnvHttpProxyAgent());
  return (url, signal) => undici.fetch(url, { signal });
}

/** No name but `localhost` is found, and at once, whatever network there is. */
function knowOnlyThisMachine() {
  const { lookup } = dns;
  dns.lookup = (name, options, callback) => {
    if (name === 'localhost') return lookup(name, options, callback);
    const error = new Error(`getaddrinfo ENOTFOUND ${name}`);
    process.nextTick(callback, Object.assign(error, { code: 'ENOTFOUND' }));
  };
}

function chain(error) {
  const messages = [];
  for (let cause = error; cause; cause = cause.cause)
    messages.push(cause.message);
  return messages.join(': ');
}
