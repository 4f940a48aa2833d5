import { addonFile } from '../addon';
import { native } from '../binding';
import type { RuntimeReport } from './report';

/** What runs: which version, on what, with which binary, through which proxies, trusting whom. */
export function runtime(): RuntimeReport {
  const { version } = require('../../package.json') as { version: string };
  const { proxies, trusted } = native();
  return {
    version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    binary: addonFile(),
    proxies: proxies(),
    trust: trusted(),
  };
}
