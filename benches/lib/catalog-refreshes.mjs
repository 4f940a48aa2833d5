// The refreshes of a real catalog, whose backend reads with one of the two readers.
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { register } from 'tsx/cjs/api';
import { azureConfig } from '../../testing/measuring/host.mjs';

/** Later than any refresh ends, so that the catalog refreshes nothing of its own accord. */
const PROCESSING_INTERVAL = { hours: 24 };

/** How often the database is asked; more often would count as work of the catalog. */
const PATIENCE = { everyMs: 250 };

const require = createRequire(import.meta.url);

export class CatalogRefreshes {
  #database;
  #until;

  /** Starts the backend with locations, and waits until the catalog has read all of them. */
  static async start(subject, { token, urls }) {
    register();
    const { BackendLog } = require('../../testing/backend/BackendLog.ts');
    const {
      CatalogBackend,
    } = require('../../testing/backend/CatalogBackend.ts');
    const backend = await CatalogBackend.start({
      azure: azureConfig(token),
      locations: urls,
      processingInterval: PROCESSING_INTERVAL,
      log: new BackendLog(printProblem),
      withBuiltInReader: subject === 'upstream',
    });
    const catalog = new CatalogRefreshes();
    catalog.#database = await backend.database();
    catalog.#until = require('../../testing/until.ts').until;
    const hasAll = async () => (await catalog.#count('')) === urls.length;
    await catalog.#until(hasAll, PATIENCE);
    await catalog.#untilIdle();
    return catalog;
  }

  /**
   * Makes every entity due once, evenly over some seconds, as they are due in a catalog that has
   * been running for a while, and waits until all have been processed.
   */
  async refresh(seconds) {
    const due = `datetime('now', (abs(random()) % ${seconds}) || ' seconds')`;
    await this.#database('refresh_state').update({
      next_update_at: this.#database.raw(due),
    });
    await this.#untilIdle();
  }

  /** Makes sure that so many components are described so. */
  async expect(count, description) {
    const found = await this.#count(description);
    if (found !== count)
      throw new Error(`${found} components of ${count} are new`);
  }

  async #count(description) {
    const [{ count }] = await this.#database('final_entities')
      .whereLike('entity_ref', 'component:%')
      .whereLike('final_entity', `%"description":"${description}%`)
      .count({ count: '*' });
    return count;
  }

  async #untilIdle() {
    await this.#until(async () => {
      const [{ count }] = await this.#database('refresh_state')
        .whereRaw("next_update_at <= datetime('now', '1 hour')")
        .count({ count: '*' });
      return count === 0;
    }, PATIENCE);
    // What was begun last has to be read and stitched.
    await wait(2_000);
    const failed = await this.#database('refresh_state')
      .whereNot('errors', '[]')
      .first('entity_ref', 'errors');
    if (failed) throw new Error(`${failed.entity_ref}: ${failed.errors}`);
  }
}

function printProblem({ level, message }) {
  if (level === 'error' || level === 'warn') console.error(message);
}
