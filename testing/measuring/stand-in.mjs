// The stand-in Azure DevOps, in a process of its own; see `startStandIn`.
import fc from 'fast-check';
import net from 'node:net';
import {
  AzureDevOps,
  Budget,
  DEFAULT_TOKEN,
  tokenOf,
  unitsOf,
} from '../azure-devops';
import { cases, toMisbehaviour } from '../faults';
import { answer } from './child.mjs';
import { component, monorepo } from './monorepo.mjs';

const azure = await AzureDevOps.start();
const hosted = new Map();
/** The repository where none is named. */
const MONOREPO = 'monorepo';
let wireBytes = 0;
let limited;
let requests = 0;
let faults = 0;
const tunnel = await startTunnel(new URL(azure.proxyUrl).port);

answer(
  {
    host,
    hostOther,
    commit,
    clear,
    account,
    limit,
    timeline,
    misbehave,
    misbehaviour,
  },
  () => azure.close(),
);

/** Leads to the proxy, and counts what comes from it: heads, TLS and all. */
async function startTunnel(port) {
  const server = net.createServer({ noDelay: true }, client => {
    const proxy = net.connect({ port, host: '127.0.0.1', noDelay: true });
    proxy.on('data', piece => {
      wireBytes += piece.length;
    });
    client.pipe(proxy).pipe(client);
    client.on('error', () => proxy.destroy());
    proxy.on('error', () => client.destroy());
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Hosts the repository, and tells how it is reached and what its archive weighs. */
async function host({ repository = MONOREPO, ...options }) {
  const added = await azure.addRepository({
    organization: 'org',
    project: 'project',
    repository,
    files: monorepo(options),
  });
  hosted.set(repository, added);
  return {
    url: added.webUrl(),
    token: DEFAULT_TOKEN,
    archiveBytes: await archiveBytes(repository),
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${tunnel.address().port}`,
      NO_PROXY: '127.0.0.1,localhost',
      NODE_EXTRA_CA_CERTS: azure.caFile,
    },
  };
}

/** Hosts a file in another organization, which another token reads. */
async function hostOther({ organization, token }) {
  azure.addToken({ token, organizations: [organization] });
  const other = await azure.addRepository({
    organization,
    project: 'project',
    repository: 'other',
    files: { 'catalog-info.yaml': component(0) },
  });
  return other.webUrl({ path: '/catalog-info.yaml' });
}

/** The stand-in keeps what it has read for this: what git and deflate take is not measured. */
async function archiveBytes(repository) {
  const items = `${azure.url}/org/project/_apis/git/repositories/${repository}/items`;
  const authorization = `Basic ${btoa(`:${DEFAULT_TOKEN}`)}`;
  const response = await fetch(`${items}?recursionLevel=full&$format=zip`, {
    headers: { authorization },
  });
  return (await response.arrayBuffer()).byteLength;
}

/** Changes catalog files, which are given as path and number. */
async function commit({ repository = MONOREPO, changes, description }) {
  const files = changes.map(([path, n]) => [path, component(n, description)]);
  await hosted.get(repository).git.commit({ files: Object.fromEntries(files) });
}

function clear() {
  azure.clearRequests();
  wireBytes = 0;
}

/** What was asked for since the last `clear`. */
function account() {
  return { requests: azure.requests.length, KB: wireBytes / 1000 };
}

/** Limits every token from now on, and looks every 50 ms at what the first one has left. */
function limit(options) {
  const budget = new Budget(options);
  const startedAt = Date.now();
  const left = [];
  const look = () =>
    left.push({
      at: Date.now() - startedAt,
      units: Math.max(0, options.capacity - budget.used(DEFAULT_TOKEN)),
    });
  clear();
  look();
  const takeBack = azure.limit(budget);
  limited = { startedAt, left, takeBack, looking: setInterval(look, 50) };
}

/** Limits no longer, and tells what the first token asked for, and what it had left. */
function timeline() {
  const { startedAt, left, takeBack, looking } = limited;
  clearInterval(looking);
  takeBack();
  const requests = azure.requests
    .filter(it => tokenOf(it.headers.authorization) === DEFAULT_TOKEN)
    .map(it => ({
      at: it.at - startedAt,
      status: it.status,
      units: unitsOf(it),
    }));
  return { requests, left };
}

/**
 * Lets a share of the requests go wrong, each in another way, and now and then all connections.
 * What never ends is left out, and what says that there is nothing; with `limits: false` also what
 * makes a reader slow on purpose.
 */
function misbehave({ share, seed, limits = true }) {
  const isMeant = ({ at, fault }) =>
    at === 'visualstudio.com' &&
    !/stall|connection/.test(fault.how) &&
    fault.status !== 404 &&
    (limits || !(fault.status === 429 || fault.retryAfter !== undefined));
  const drawn = fc.sample(cases(1).filter(isMeant), { seed, numRuns: 500 });
  const random = draws(seed);
  const chosen = new WeakMap();
  const choose = request => {
    const isDue = random() < share;
    const choice = isDue ? Math.floor(random() * drawn.length) : -1;
    chosen.set(request, choice);
    faults += isDue ? 1 : 0;
    return choice;
  };
  drawn.forEach(({ fault, share: place }, index) => {
    const match = request =>
      (chosen.get(request) ?? choose(request)) === index &&
      (fault.how !== 'damaged JSON' ||
        request.headers.accept === 'application/json');
    azure.misbehave({ ...toMisbehaviour(fault, 1_000, place), match });
  });
  setInterval(() => {
    faults += 1;
    azure.closeConnections();
  }, 5_000).unref();
}

/** Numbers from 0 to 1, the same for the same seed. */
function draws(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

/** How many requests there were since `misbehave`, and how many of them went wrong. */
function misbehaviour() {
  requests += azure.requests.length;
  azure.clearRequests();
  return { requests, faults };
}
