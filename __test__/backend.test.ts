import { urlReaderFactoriesServiceRef } from '@backstage/backend-defaults/urlReader';
import azureUrlReaderServiceFactory from 'backstage-azure-devops-native';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { BackendLog } from '../testing/backend/BackendLog';
import { CatalogBackend } from '../testing/backend/CatalogBackend';
import { until } from '../testing/until';
import { DEFAULT_TOKEN, standIn, type Hosted } from '../testing/azure-devops';
import { component, location } from './backend/catalogFiles';
import { newCertificate } from './authentication/newCertificate';
import { ReaderProbe } from '../testing/backend/ReaderProbe';
import { startedWith } from './backend/startedWith';
import { startWithoutBinary } from './backend/startWithoutBinary';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const OURS = /^backstage-azure-devops-native\/\d/;

const azure = standIn();
const log = new BackendLog();
const probe = new ReaderProbe();

let repository: Hosted;
let backend: CatalogBackend;

beforeAll(async () => {
  repository = await azure.addRepository({
    organization: 'backend-org',
    project: 'shop',
    repository: 'shop',
    files: {
      'catalog-info.yaml': location('all', './parts/search.yaml', 'cart.yaml'),
      'cart.yaml': component('cart', 'Holds what is bought.'),
      'parts/search.yaml': component('search', 'Finds things.'),
      'parts/payment.yaml': component('payment', 'Takes money.'),
    },
  });
  backend = await CatalogBackend.start({
    azure: [
      {
        host: 'dev.azure.com',
        credentials: [{ personalAccessToken: DEFAULT_TOKEN }],
      },
    ],
    locations: [urlOf('/catalog-info.yaml')],
    // Nothing is processed again unless a test asks for it.
    processingInterval: { hours: 1 },
    log,
    plugins: [probe.plugin],
  });
  await entity('cart');
  await entity('search');
});

beforeEach(() => azure.clearRequests());

afterAll(() => backend?.stop());

describe('a catalog whose backend has this package', () => {
  it('ingests a static location and what it points to, read by us', async () => {
    const { metadata } = await entity('search');
    expect(metadata.description).toBe('Finds things.');
    expect(metadata.annotations).toMatchObject({
      'backstage.io/managed-by-location': `url:${urlOf('/parts/search.yaml')}`,
    });

    await backend.refresh('component:default/search');
    await until(async () => requestsOf('/parts/search.yaml')[0], {
      what: 'read of it',
    });
    const [request] = requestsOf('/parts/search.yaml');
    expect(request).toMatchObject({
      host: 'dev.azure.com',
      credential: 'pat',
      headers: { 'user-agent': expect.stringMatching(OURS) },
    });
  });

  it('logs once which credential reads which organization', () => {
    const how =
      /^Reading dev\.azure\.com\b.*\bbackend-org with a personal access token \(integrations\.azure\[0\]\.credentials\[0\]\)$/;
    expect(log.matching(/^Reading /)).toEqual([expect.stringMatching(how)]);
  });

  it('tells what a location would add, and adds nothing, in a dry run', async () => {
    const target = urlOf('/parts/payment.yaml');
    const { entities } = await backend.register(target, { dryRun: true });
    expect(entities).toMatchObject([
      { kind: 'Location', spec: { target } },
      { kind: 'Component', metadata: { name: 'payment' } },
    ]);
    expect(requestsOf('/parts/payment.yaml')).toMatchObject([
      { status: 200, headers: { 'user-agent': expect.stringMatching(OURS) } },
    ]);
    await backend.refresh('component:default/cart');
    await until(async () => requestsOf('/cart.yaml')[0], {
      what: 'later read',
    });
    expect(await backend.entity('Component', 'payment')).toBeUndefined();
  });

  it('ingests a registered location', async () => {
    const target = urlOf('/parts/payment.yaml');
    await backend.register(target, { dryRun: false });
    const { metadata } = await entity('payment');
    expect(metadata.description).toBe('Takes money.');
    expect(userAgents()).toEqual([expect.stringMatching(OURS)]);
  });

  it('picks up a changed file', async () => {
    const changed = 'Holds what is about to be bought.';
    await repository.git.commit({
      files: { 'cart.yaml': component('cart', changed) },
    });
    await backend.refresh('component:default/cart');
    await until(
      async () => {
        const { metadata } = await entity('cart');
        return metadata.description === changed || undefined;
      },
      { what: 'change' },
    );
    expect(requestsOf('/cart.yaml')).toContainEqual(
      expect.objectContaining({ status: 200 }),
    );
    expect(userAgents()).toEqual([expect.stringMatching(OURS)]);
  });

  it('does not download a file again that has not changed, and keeps its entities', async () => {
    await backend.refresh('component:default/search');
    const request = await until(
      async () =>
        requestsOf('/parts/search.yaml').find(({ status }) => status > 0),
      { what: 'answer' },
    );
    expect(request).toMatchObject({
      status: 304,
      bytesSent: 0,
      headers: { 'if-none-match': expect.stringMatching(/^"[0-9a-f]{40}"$/) },
    });

    await backend.refresh('component:default/search');
    await until(async () => requestsOf('/parts/search.yaml')[1], {
      what: 'answer to the second',
    });
    const { metadata } = await entity('search');
    expect(metadata.description).toBe('Finds things.');
  });
});

it('reads a tree', async () => {
  const tree = await probe.reader.readTree(urlOf('/parts'));
  const files = await tree.files();
  expect(files.map(({ path }) => path).sort()).toEqual([
    'payment.yaml',
    'search.yaml',
  ]);
  expect(agentsOfArchives()).toEqual([expect.stringMatching(OURS)]);
});

it('searches with a pattern', async () => {
  const { files } = await probe.reader.search(urlOf('/parts/*.yaml'));
  expect(files.map(({ url }) => url).sort()).toEqual([
    urlOf('/parts/payment.yaml'),
    urlOf('/parts/search.yaml'),
  ]);
});

describe('the built-in reader', () => {
  it('serves where the binary cannot be loaded, which the log says once', async () => {
    const { description, warnings } = await startWithoutBinary({
      host: azure.host,
      personalAccessToken: DEFAULT_TOKEN,
      target: repository.webUrl({ path: '/parts/search.yaml', at: 'server' }),
    });
    expect(description).toBe('Finds things.');
    expect(warnings).toEqual([
      {
        message:
          'Azure DevOps is read by the built-in reader, because backstage-azure-devops-native cannot be used',
        reason: expect.stringMatching(
          /^The native part of backstage-azure-devops-native could not be loaded on [^;]*backstage-azure-devops-native\.\S+\.node: cannot open shared object file$/,
        ),
      },
    ]);
    expect(azure.requests.length).toBeGreaterThan(0);
    expect(userAgents()).not.toContainEqual(expect.stringMatching(OURS));
  });
});

describe('a backend with a credential of each kind', () => {
  const [tenantId, clientId] = [randomUUID(), randomUUID()];
  const app = { tenantId, clientId };
  const credentials: Record<string, object> = {
    PersonalAccessToken: { personalAccessToken: DEFAULT_TOKEN },
    ClientSecret: { ...app, clientSecret: 'the-secret' },
    'ClientCertificate, written there': app,
    'ClientCertificate, in a file': app,
    ManagedIdentity: { clientId },
    ManagedIdentityClientAssertion: {
      ...app,
      managedIdentityClientId: 'system-assigned',
    },
  };

  beforeAll(async () => {
    const { certificate, key } = await newCertificate();
    const clientCertificate = `${key}\n${certificate}\n`;
    const directory = temporaryFolder('backend');
    const clientCertificatePath = path.join(directory, 'app.pem');
    writeFileSync(clientCertificatePath, clientCertificate);
    credentials['ClientCertificate, written there'] = {
      ...app,
      clientCertificate,
    };
    credentials['ClientCertificate, in a file'] = {
      ...app,
      clientCertificatePath,
    };
    const secrets = ['the-secret'];
    azure.entra.addApp({ ...app, secrets, certificates: [certificate] });
  });

  const kinds = Object.keys(credentials);

  it.each(kinds)('starts without this package: %s', async kind => {
    const started = await startedWith({
      azure: [{ host: 'dev.azure.com', credentials: [credentials[kind]] }],
      withOurs: false,
    });
    await started.stop();
  });

  it.each(kinds)('starts with this package: %s', async kind => {
    const started = await startedWith({
      azure: [{ host: 'dev.azure.com', credentials: [credentials[kind]] }],
      withOurs: true,
    });
    // The others ask the machine, which is not one of Azure's.
    if (!kind.startsWith('ManagedIdentity')) {
      const url = urlOf('/parts/search.yaml');
      const answer = await started.reader.readUrl(url);
      expect(String(await answer.buffer())).toContain('Finds things.');
      expect(userAgents()).toEqual([expect.stringMatching(OURS)]);
    }
    await started.stop();
  });
});

it('provides the service from which the built-in reader takes its factories', () => {
  const { id, scope, multiton } = azureUrlReaderServiceFactory.service;
  const theirs = urlReaderFactoriesServiceRef;
  expect({ id, scope, multiton }).toEqual({
    id: theirs.id,
    scope: theirs.scope,
    multiton: theirs.multiton,
  });
});

function urlOf(path: string): string {
  return repository.webUrl({ path });
}

function entity(name: string) {
  return until(() => backend.entity('Component', name), {
    what: `component ${name}`,
  });
}

function requestsOf(path: string) {
  return azure.requests.filter(
    ({ url }) => new URLSearchParams(url.split('?')[1]).get('path') === path,
  );
}

/** Who asked the stand-in, each once. */
function userAgents(requests = azure.requests): string[] {
  const agents = requests.map(({ headers }) => headers['user-agent']);
  return [...new Set(agents.map(String))];
}

/** Who asked for archives; the catalog may be reading files at the same time. */
function agentsOfArchives(): string[] {
  const ofArchives = ({ url }: { url: string }) =>
    /recursionLevel=full/.test(url);
  return userAgents(azure.requests.filter(ofArchives));
}
