/**
 * Runs a backend that ingests one component, and prints what became of it as JSON. It is for
 * processes in which the native binary cannot be loaded.
 */
import { BackendLog } from '../../testing/backend/BackendLog';
import { CatalogBackend } from '../../testing/backend/CatalogBackend';
import { until } from '../../testing/until';
import { ReaderProbe } from '../../testing/backend/ReaderProbe';

/** What to read. */
export interface Task {
  host: string;
  personalAccessToken: string;
  /** The web URL of a catalog file with one component. */
  target: string;
}

/** What became of it. */
export interface Outcome {
  /** The component's. */
  description?: string;
  /** What the backend warned of. */
  warnings: Array<{ message: string; reason?: string }>;
}

async function main({ host, personalAccessToken, target }: Task) {
  const log = new BackendLog();
  const backend = await CatalogBackend.start({
    azure: [{ host, credentials: [{ personalAccessToken }] }],
    locations: [target],
    processingInterval: { hours: 1 },
    log,
    // A second plugin that reads, so that a warning for each of them would show.
    plugins: [new ReaderProbe().plugin],
  });
  const component = await until(
    async () => {
      const entities = await backend.entities();
      return entities.find(({ kind }) => kind === 'Component');
    },
    { what: 'component' },
  );
  await backend.stop();
  const warnings = log.lines
    .filter(({ level }) => level === 'warn')
    .map(({ message, meta }) => ({
      message,
      reason: (meta as Error)?.message,
    }));
  const outcome: Outcome = {
    description: component.metadata.description,
    warnings,
  };
  // Timers of a stopped backend would keep the process.
  process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
}

main(JSON.parse(process.argv[2])).catch(error => {
  console.error(error);
  process.exit(1);
});
