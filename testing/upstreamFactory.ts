import {
  UrlReaders,
  type ReadTreeResponseFactory,
} from '@backstage/backend-defaults/urlReader';
import { ConfigReader } from '@backstage/config';
import { silent } from './silent';

/** Upstream's own factory of responses, which it hands out to factories of readers only. */
export function upstreamFactory(
  workingDirectory: string,
): ReadTreeResponseFactory {
  let factory: ReadTreeResponseFactory | undefined;
  UrlReaders.create({
    config: new ConfigReader({ backend: { workingDirectory } }),
    logger: silent,
    factories: [
      ({ treeResponseFactory }) => {
        factory = treeResponseFactory;
        return [];
      },
    ],
  });
  if (!factory) throw new Error('Upstream made no factory');
  return factory;
}
