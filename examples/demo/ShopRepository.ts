import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';
import { shopFiles } from './shopFiles';

/** The git repository of a shop, with its files checked out. */
export class ShopRepository {
  readonly directory = temporaryFolder('demo-shop');

  constructor() {
    this.#git('init', '--quiet', '--initial-branch=main');
    this.#git('config', 'user.name', 'A Person');
    this.#git('config', 'user.email', 'person@example.com');
    this.#git('config', 'commit.gpgsign', 'false');
    this.commit('The shop', shopFiles);
  }

  /** Writes files, and commits all that is not committed. */
  commit(message: string, files: Record<string, string>): void {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(this.directory, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    this.#git('add', '--all');
    this.#git('commit', '--quiet', '--message', message);
  }

  #git(...args: string[]): void {
    execFileSync('git', ['-C', this.directory, ...args], { stdio: 'inherit' });
  }
}
