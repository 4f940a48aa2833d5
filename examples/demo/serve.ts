import type { AzureDevOpsStandIn } from './AzureDevOpsStandIn';
import type { CatalogBackend } from '../../testing/backend/CatalogBackend';
import { heading } from './account';
import type { Page } from './page/Page';
import type { ShopRepository } from './ShopRepository';

/** Says what can be tried while the demo stays up. */
export function printWhatToTry(
  backend: CatalogBackend,
  azure: AzureDevOpsStandIn,
  { repository, page }: { repository: ShopRepository; page: Page },
): void {
  const catalog = `${backend.url}/api/catalog`;
  const cart = 'services/cart/catalog-info.yaml';
  const target = azure.webUrl('/services/payment/catalog-info.yaml');
  const register = (query: string) =>
    `curl -s -X POST '${catalog}/locations${query}' -H 'content-type: application/json' \\\n      -d '{"type":"url","target":"${target}"}'`;
  heading(`The backend stays up on ${backend.url}; no token is needed`);
  console.log(`
  The comparison as charts, and the reads as they come:
    ${page.url}

  All entities, and one:
    curl -s '${catalog}/entities'
    curl -s '${catalog}/entities/by-name/component/default/cart'

  What registering a file would add, and registering it:
    ${register('?dryRun=true')}
    ${register('')}

  Change a file, and look again after some seconds (every read is shown here):
    cd ${repository.directory}
    sed -i.bak 's/description: .*/description: Changed by me/' ${cart}
    git commit --quiet --message 'A change' ${cart}

  The same Azure DevOps, asked by yourself:
    curl -s --proxy ${azure.proxyUrl} --cacert '${process.env.NODE_EXTRA_CA_CERTS}' -u ':the-demo-personal-access-token' \\
      'https://dev.azure.com/contoso/shop/_apis/git/repositories/shop/items?path=/${cart}'

  Ctrl-C ends it.
`);
}
