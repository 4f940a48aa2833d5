import { spawnSync } from 'node:child_process';
import { chromium, type BrowserContext } from 'playwright-core';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

const EXECUTABLE = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Why there is no browser here; nothing where there is. */
export function whyNoBrowser(): string | undefined {
  const { error } = spawnSync(EXECUTABLE, ['--version']);
  return error?.message;
}

/** A real browser without a window, that asks nobody but whom it is led to. */
export async function openBrowser(): Promise<BrowserContext> {
  return chromium.launchPersistentContext(temporaryFolder('browser'), {
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
