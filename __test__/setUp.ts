import { temporaryFolder } from '../testing/temporaryFolder.cjs';

/**
 * Lets every temporary file of the tests, and of the processes that they start, lie in one folder, which is
 * removed when Jest ends: it ends its workers by a signal, at which they remove nothing.
 */
export default function setUp(): void {
  process.env.TMPDIR = temporaryFolder('tests');
}
