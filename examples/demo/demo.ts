/**
 * A real Backstage backend reads a real git repository through this package, and an account of it
 * is printed: `demo.ts [--serve] [--any-build]`, where `--serve` stays up for you to try things, and
 * `--any-build` gives figures of a build without optimization too, which are good for nothing but tests.
 */
import type { AzureReadMessage } from 'backstage-azure-devops-native';
import { parseArgs } from 'node:util';
import { heading, printEntities, printReads, printRequests } from './account';
import {
  AzureDevOpsStandIn,
  PERSONAL_ACCESS_TOKEN,
} from './AzureDevOpsStandIn';
import { BackendLog } from '../../testing/backend/BackendLog';
import { CatalogBackend } from '../../testing/backend/CatalogBackend';
import { compare } from './comparison/compare';
import type { Comparison } from './comparison/Comparison';
import { printComparison } from './comparison/printComparison';
import { Page } from './page/Page';
import { readsOfPackage } from './readsOfPackage';
import { printWhatToTry } from './serve';
import { cart, expectedEntities } from './shopFiles';
import { ShopRepository } from './ShopRepository';
import { until } from '../../testing/until';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { serve: { type: 'boolean' }, 'any-build': { type: 'boolean' } },
  });
  const anyBuild = Boolean(values['any-build']);
  const repository = new ShopRepository();
  const azure = await AzureDevOpsStandIn.start(repository);
  const reads = readsOfPackage();
  const backend = await startBackend(azure, Boolean(values.serve));

  await showIngestion(backend, azure, reads);
  if (values.serve) {
    const page = await Page.start(await compared(anyBuild));
    printWhatToTry(backend, azure, { repository, page });
    followRequests(azure);
    return;
  }
  await showChange(backend, azure, repository);
  showWhoRead(azure);
  const comparison = await compared(anyBuild);
  if (comparison) printComparison(comparison);
  await backend.stop();
  await azure.stop();
}

/** Both readers beside each other; nothing where the addon is not built to be fast. */
async function compared(anyBuild: boolean): Promise<Comparison | undefined> {
  const { native } = require('../../dist/binding.js') as {
    native(): { isOptimized(): boolean };
  };
  if (anyBuild || native().isOptimized()) return compare();
  heading('No figures');
  console.log('  The addon was built without optimization (npm run build).');
  return undefined;
}

async function startBackend(
  azure: AzureDevOpsStandIn,
  serve: boolean,
): Promise<CatalogBackend> {
  heading('A Backstage backend starts');
  const said = /backstage-azure-devops-native|^Reading |^Leaving /;
  const log = new BackendLog(({ level, message }) => {
    const isProblem = level === 'error' || level === 'warn';
    if (isProblem || said.test(message)) console.log(`  ${level}: ${message}`);
  });
  const location = azure.webUrl('/catalog-info.yaml');
  console.log("  backend.add(import('backstage-azure-devops-native'))");
  console.log(`  catalog.locations: ${location}`);
  return CatalogBackend.start({
    azure: [
      {
        host: 'dev.azure.com',
        credentials: [{ personalAccessToken: PERSONAL_ACCESS_TOKEN }],
      },
    ],
    locations: [location],
    processingInterval: serve ? { seconds: 5 } : { hours: 1 },
    log,
  });
}

async function showIngestion(
  backend: CatalogBackend,
  azure: AzureDevOpsStandIn,
  reads: AzureReadMessage[],
): Promise<void> {
  for (const name of expectedEntities) {
    await until(
      async () => (await backend.names()).find(found => found === name),
      { what: `entity ${name} in the catalog` },
    );
  }
  heading('What the catalog ingested');
  printEntities(await backend.entities());
  heading('What the package read (its diagnostics channel)');
  printReads(reads);
  heading('What Azure DevOps was asked');
  printRequests(azure.requests);
}

async function showChange(
  backend: CatalogBackend,
  azure: AzureDevOpsStandIn,
  repository: ShopRepository,
): Promise<void> {
  heading('A file changes, and another does not; both are refreshed');
  const count = azure.requests.length;
  const changed = 'Holds what is about to be bought.';
  repository.commit('A better description', {
    'services/cart/catalog-info.yaml': cart(changed),
  });
  await backend.refresh('component:default/cart');
  await until(
    async () => {
      const entity = await backend.entity('Component', 'cart');
      return entity?.metadata.description === changed || undefined;
    },
    { what: 'change of the cart in the catalog' },
  );
  await backend.refresh('group:default/shopkeepers');
  const unchanged = await until(
    async () => azure.answered('/org/team.yaml', count).at(-1),
    { what: 'second read of the team' },
  );
  printRequests(azure.requests.slice(count));
  console.log(`\n  The cart is now described as: ${changed}`);
  if (unchanged.status !== 304) {
    throw new Error(`The unchanged file was answered ${unchanged.status}.`);
  }
  console.log(
    '  The unchanged location was answered 304 and not sent again. (What an entity\n  includes with $text is read anew: Backstage asks for it without an etag.)',
  );
}

/** Every request must have been native: Node's own `fetch` calls itself `node`. */
function showWhoRead(azure: AzureDevOpsStandIn): void {
  const native = /^backstage-azure-devops-native\//;
  const others = azure.requests.filter(
    ({ headers }) => !native.test(String(headers['user-agent'])),
  );
  if (others.length > 0) {
    throw new Error(`${others.length} requests were not made by the package.`);
  }
  heading('Who read');
  console.log(
    `  All ${azure.requests.length} requests came from Rust: ${azure.requests[0].headers['user-agent']}`,
  );
}

/** Prints requests as they come. */
function followRequests(azure: AzureDevOpsStandIn): void {
  let shown = azure.requests.length;
  setInterval(() => {
    const news = azure.requests.slice(shown);
    shown += news.length;
    if (news.length > 0) printRequests(news);
  }, 1000);
}

main().catch(error => {
  console.error(`\nThe demo failed: ${error.stack}`);
  process.exit(1);
});
