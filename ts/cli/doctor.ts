import { diagnose } from '../diagnosis/diagnose';
import type { Diagnosis } from '../diagnosis/report';
import {
  loadConfiguration,
  type Loaded,
  type SourceOptions,
} from './configuration';
import { ExitCode, UsageError } from './ExitCode';
import type { Run } from './main';
import { printDiagnosis } from './printDiagnosis';

/** The options of `doctor`. */
export interface DoctorOptions extends SourceOptions {
  /** The longest that one check may take, in seconds. */
  timeout: number;
}

/** Looks at everything, and says what is wrong. */
export async function doctor(
  { terminal, options, signal }: Run<DoctorOptions>,
  urls: string[],
): Promise<number> {
  const diagnosis = await terminal.while('Looking at everything', async () => {
    const loaded = await configuration(options);
    return diagnose(loaded.config, {
      urls,
      timeoutMs: options.timeout * 1000,
      signal,
      report: loaded.report,
    });
  });
  if (terminal.json) terminal.printJson(diagnosis satisfies Diagnosis);
  else printDiagnosis(terminal, diagnosis);
  return diagnosis.isHealthy ? ExitCode.GOOD : ExitCode.WRONG;
}

const UNREADABLE =
  'correct the file where it says; until then the backend does not start';

/** The configuration; that it cannot be read is a finding as well. */
async function configuration(
  options: SourceOptions,
): Promise<Partial<Loaded> & Pick<Loaded, 'report'>> {
  try {
    return await loadConfiguration(options);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { message } = error as Error;
    return {
      report: {
        source: 'it cannot be read',
        files: [],
        problems: [{ state: 'problem', message, advice: UNREADABLE }],
      },
    };
  }
}
