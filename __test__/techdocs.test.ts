import {
  DirectoryPreparer,
  UrlPreparer,
  type PreparerBase,
} from '@backstage/plugin-techdocs-node';
import path from 'node:path';
import { standIn, type Hosted } from '../testing/azure-devops';
import { contentsOf } from '../testing/contentsOf';
import { readerService } from '../testing/readerService';

type Entity = Parameters<PreparerBase['prepare']>[0];

const OURS = /^backstage-azure-devops-native\/\d/;

const azure = standIn();
const { config, logger, reader, workingDirectory } = readerService();
const ofUrl = UrlPreparer.fromConfig({ logger, reader });
const ofDir = DirectoryPreparer.fromConfig(config, { logger, reader });

const CART = {
  'catalog-info.yaml': 'kind: Component\n',
  'mkdocs.yml': 'site_name: Cart\nplugins: [techdocs-core]\n',
  'docs/index.md': '# Cart\n\n![flow](img/flow.png)\n',
  'docs/how-to/refund.md': '# Refund\n',
  'docs/img/flow.png': '\x89PNG\r\n\x1a\n\0\xff',
};

let hosted: Hosted;

beforeAll(async () => {
  const cart = Object.entries(CART).map(([name, content]) => [
    `services/cart/${name}`,
    Buffer.from(content, 'latin1'),
  ]);
  hosted = await azure.addRepository({
    organization: 'techdocs',
    project: 'p',
    repository: 'shop',
    files: {
      'README.md': '# Shop\n',
      'services/search/docs/index.md': '# Search\n',
      ...Object.fromEntries(cart),
    },
  });
});

beforeEach(() => azure.reset());

describe.each(['dev.azure.com', 'server'] as const)('docs at %s', at => {
  const urlOf = (path: string, version?: string) =>
    hosted.webUrl({ path, version, at });

  it.each<[string, PreparerBase, () => string]>([
    ['url:https://…', ofUrl, () => `url:${urlOf('/services/cart')}`],
    ['dir:.', ofDir, () => 'dir:.'],
  ])('are prepared as %s names them', async (_ref, preparer, ref) => {
    const catalogInfo = urlOf('/services/cart/catalog-info.yaml');
    const entity = component(ref(), catalogInfo);
    const { preparedDir, etag } = await preparer.prepare(entity);
    expect(path.dirname(preparedDir)).toBe(workingDirectory);
    expect(await contentsOf(preparedDir)).toEqual(CART);
    expect(etag).toBe(await hosted.git.head());
  });

  it('cost one small request while nothing has changed', async () => {
    const entity = component(`url:${urlOf('/services/cart')}`);
    const { etag } = await ofUrl.prepare(entity);
    azure.clearRequests();
    await expect(ofUrl.prepare(entity, { etag })).rejects.toMatchObject({
      name: 'NotModifiedError',
    });
    expect(azure.requests).toEqual([
      expect.objectContaining({
        headers: expect.objectContaining({
          'user-agent': expect.stringMatching(OURS),
        }),
      }),
    ]);
    expect(azure.requests[0].bytesSent).toBeLessThan(2_000);
  });

  it('are prepared again once they have changed', async () => {
    const branch = `draft-${at}`;
    await hosted.git.branch(branch);
    const entity = component(`url:${urlOf('/services/cart', `GB${branch}`)}`);
    const before = await ofUrl.prepare(entity);
    const commit = await hosted.git.commit({
      branch,
      files: { 'services/cart/docs/index.md': '# New\n' },
    });
    const after = await ofUrl.prepare(entity, { etag: before.etag });
    expect(after.etag).toBe(commit);
    expect(await contentsOf(after.preparedDir)).toEqual({
      ...CART,
      'docs/index.md': '# New\n',
    });
  });
});

/** A component whose documentation is where `backstage.io/techdocs-ref` says. */
function component(techdocsRef: string, catalogInfo?: string): Entity {
  const annotations = {
    'backstage.io/techdocs-ref': techdocsRef,
    ...(catalogInfo && {
      'backstage.io/managed-by-location': `url:${catalogInfo}`,
    }),
  };
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name: 'cart', annotations },
  };
}
