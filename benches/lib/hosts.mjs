// What cases are measured against, each started when the first case wants it.
import { inRoot } from '../../scripts/lib/commands.mjs';
import { startStandIn } from '../../testing/measuring/host.mjs';
import { CannedServer } from './canned-server.mjs';
import { makeZip } from './zip.mjs';

/** Where zips are kept from one run to the next. */
const ZIPS = inRoot('artifacts/bench/zips');

export class Hosts {
  #folder;
  #canned;
  #standIn;
  /** The repositories of the stand-in, by what they hold. */
  #hosted = new Map();
  #commits = 0;

  /** Those of a run, which keep what they make in a folder. */
  constructor(folder) {
    this.#folder = folder;
  }

  /**
   * What a case is told of its server, with which environment it runs, how its requests are counted, and how
   * files are changed.
   */
  async of({ needs, zips = [], hosts }) {
    if (needs === 'canned') return this.#ofCanned(zips);
    if (needs === 'stand-in') return this.#ofStandIn(hosts);
    return { env: {}, counts: async () => ({}) };
  }

  async #ofCanned(zips) {
    this.#canned ??= await CannedServer.start(ZIPS);
    for (const zip of zips) makeZip(ZIPS, zip);
    const { origins, caFile } = this.#canned;
    return {
      server: { origins, caFile, zips: ZIPS, folder: this.#folder },
      env: { NODE_EXTRA_CA_CERTS: caFile },
      counts: () => this.#canned.counts(),
    };
  }

  async #ofStandIn(wanted) {
    this.#standIn ??= startStandIn();
    const key = JSON.stringify(wanted);
    if (!this.#hosted.has(key)) {
      const repository = `monorepo${this.#hosted.size}`;
      const options = { ...wanted, repository };
      const host = await this.#standIn.ask('host', options);
      this.#hosted.set(key, { ...host, repository });
    }
    const { env, repository, ...server } = this.#hosted.get(key);
    const change = async changes => {
      this.#commits += 1;
      const description = `What it does, in commit ${this.#commits}.`;
      await this.#standIn.ask('commit', { repository, changes, description });
    };
    const counts = async () => {
      const { requests, KB } = await this.#standIn.ask('account');
      await this.#standIn.ask('clear');
      return { requests, sent: KB * 1000 };
    };
    return { server, env, counts, change };
  }

  async stop() {
    this.#canned?.stop();
    await this.#standIn?.end();
  }
}
