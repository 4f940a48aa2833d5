// The repository that is searched, and that the catalog reads.
import { text } from './text.mjs';

const MEBIBYTE = 2 ** 20;

/**
 * So many files of so many MiB, among them so many catalog files: two of three at
 * `/services/<n>/catalog-info.yaml`, the third deeper.
 */
export function monorepo({ files, megabytes, matches }) {
  const paths = catalogPaths(matches);
  const entries = paths.map((path, n) => [path, component(n)]);
  const count = files - matches;
  const size = Math.ceil((megabytes * MEBIBYTE) / count);
  const services = paths.filter(isShallow).length;
  for (let n = 0; n < count; n += 1) {
    const folder = n % 3 ? `services/s${n % services}` : `libraries/l${n % 80}`;
    entries.push([`${folder}/src/${n}.ts`, text(n, size)]);
  }
  return Object.fromEntries(entries);
}

export function catalogPaths(count) {
  return Array.from({ length: count }, (_, n) => {
    const service = `services/s${Math.floor(n / 3) * 2 + (n % 3 === 1 ? 1 : 0)}`;
    return n % 3 === 2
      ? `${service}/packages/api/catalog-info.yaml`
      : `${service}/catalog-info.yaml`;
  });
}

/** Whether a catalog file lies right in the folder of its service. */
export function isShallow(path) {
  return path.split('/').length === 3;
}

/** A catalog file of the usual size. */
export function component(n, description = 'What it does.') {
  return `apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: c${n}
  title: Component ${n}
  description: ${description}
  annotations:
    backstage.io/techdocs-ref: dir:.
    dev.azure.com/project-repo: project/monorepo
  tags: [typescript, service]
  links:
${[1, 2, 3].map(link => `    - url: https://example.com/c${n}/${link}\n      title: ${text(n + link, 60).replace(/\W+/g, ' ')}`).join('\n')}
spec:
  type: service
  lifecycle: production
  owner: team-${n % 20}
`;
}
