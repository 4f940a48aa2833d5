import { ScmIntegrations } from '@backstage/integration';
import {
  createFetchPlainAction,
  createFetchTemplateAction,
} from '@backstage/plugin-scaffolder-backend';
import { lstat, readlink } from 'node:fs/promises';
import path from 'node:path';
import { standIn, type Hosted } from '../testing/azure-devops';
import { contentsOf } from '../testing/contentsOf';
import { readerService } from '../testing/readerService';
import { temporaryFolder } from '../testing/temporaryFolder.cjs';

const OURS = /^backstage-azure-devops-native\/\d/;

const azure = standIn();
const { config, logger, reader } = readerService();
const integrations = ScmIntegrations.fromConfig(config);
const fetchPlain = createFetchPlainAction({ reader, integrations });
const fetchTemplate = createFetchTemplateAction({ reader, integrations });

/** A picture in which stands what would be rendered in a text. */
const LOGO = '\x89PNG\r\n\x1a\n\0${{ values.name }}\xff';

const SERVICE = {
  'catalog-info.yaml': 'name: ${{ values.name }}\n',
  'src/${{ values.name }}/main.ts': "start('${{ values.name | upper }}');\n",
  "${{ 'open' if values.public }}/LICENSE": 'Do as you like.\n',
  "${{ 'secret' if not values.public }}/LICENSE": 'Tell nobody.\n',
  '.ci/ünï cødé.yml': '{% if values.public %}on: push{% endif %}',
  'logo.png': LOGO,
};
const RENDERED = {
  'catalog-info.yaml': 'name: cart\n',
  'src/cart/main.ts': "start('CART');\n",
  'open/LICENSE': 'Do as you like.\n',
  '.ci/ünï cødé.yml': 'on: push',
  'logo.png': LOGO,
};
const VALUES = { name: 'cart', public: true };

let hosted: Hosted;
let workspacePath: string;

beforeAll(async () => {
  const service = Object.entries(SERVICE).map(([name, content]) => [
    `templates/service/skeleton/${name}`,
    Buffer.from(content, 'latin1'),
  ]);
  hosted = await azure.addRepository({
    organization: 'scaffolder',
    project: 'p',
    repository: 'templates',
    files: {
      'templates/service/template.yaml': 'kind: Template\n',
      ...Object.fromEntries(service),
      'templates/tool/run.sh': {
        content: '#!/bin/sh\necho ${{ values.name }}\n',
        mode: '100755',
      },
      'templates/tool/run.txt': 'Run it.\n',
      'templates/tool/bin/run': { content: '../run.sh', mode: '120000' },
    },
  });
  await hosted.git.tag('v1');
  await hosted.git.branch('next');
  await hosted.git.commit({
    branch: 'next',
    files: { 'templates/service/skeleton/catalog-info.yaml': 'name: next\n' },
  });
  // So that nothing of it is found but at the tag and at the branch.
  await hosted.git.commit({ files: { templates: null, 'README.md': '' } });
});

beforeEach(() => {
  azure.reset();
  workspacePath = temporaryFolder('workspace');
});

describe.each(['dev.azure.com', 'server'] as const)('a template at %s', at => {
  it.each([
    ['tag', 'GTv1', {}],
    ['branch', 'GBnext', { 'catalog-info.yaml': 'name: next\n' }],
  ])('is fetched as it is at a %s', async (_what, version, changed) => {
    const folder = '/templates/service/skeleton';
    const url = hosted.webUrl({ path: folder, version, at });
    await fetchPlain.handler(contextOf({ url, targetPath: 'a/b' }));
    const target = path.join(workspacePath, 'a/b');
    expect(await contentsOf(target)).toEqual({ ...SERVICE, ...changed });
    expectOurRequests();
  });

  it.each([
    ['tag', 'GTv1', {}],
    ['branch', 'GBnext', { 'catalog-info.yaml': 'name: next\n' }],
  ])(
    'is rendered from the skeleton that is beside it at a %s',
    async (_what, version, changed) => {
      const file = '/templates/service/template.yaml';
      const baseUrl = hosted.webUrl({ path: file, version, at });
      await fetchTemplate.handler(
        contextOf({ url: './skeleton', values: VALUES }, baseUrl),
      );
      expect(await contentsOf(workspacePath)).toEqual({
        ...RENDERED,
        ...changed,
      });
      expectOurRequests();
    },
  );
});

// A server's archives say nothing of modes.
describe('a template with a script, at dev.azure.com', () => {
  it.each([
    ['fetched', fetchPlain, 'echo ${{ values.name }}'],
    ['rendered', fetchTemplate, 'echo cart'],
  ])(
    'can be run once it is %s, and by its link',
    async (_how, action, line) => {
      const url = hosted.webUrl({ path: '/templates/tool', version: 'GTv1' });
      await action.handler(contextOf({ url, values: VALUES }));
      expect(await contentsOf(workspacePath)).toEqual({
        'run.sh': `#!/bin/sh\n${line}\n`,
        'run.txt': 'Run it.\n',
      });
      expect(await executableBits('run.sh')).not.toBe(0);
      expect(await executableBits('run.txt')).toBe(0);
      const link = path.join(workspacePath, 'bin/run');
      expect(await readlink(link)).toBe('../run.sh');
    },
  );
});

/** What the scaffolder gives to a step of a task whose template lies at a URL. */
function contextOf<T extends object>(input: T, baseUrl?: string) {
  return {
    input,
    logger,
    workspacePath,
    templateInfo: { entityRef: 'template:default/service', baseUrl },
    task: { id: 'task' },
    output: () => {},
    checkpoint: async () => undefined as never,
    createTemporaryDirectory: async () => temporaryFolder('task'),
    getInitiatorCredentials: async () => undefined as never,
  };
}

async function executableBits(name: string): Promise<number> {
  const { mode } = await lstat(path.join(workspacePath, name));
  return mode & 0o111;
}

function expectOurRequests(): void {
  expect(azure.requests.length).toBeGreaterThan(0);
  for (const { headers } of azure.requests) {
    expect(headers['user-agent']).toMatch(OURS);
  }
}
