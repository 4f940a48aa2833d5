/** How the command ends. */
export const ExitCode = {
  /** Everything is as it should be. */
  GOOD: 0,
  /** Something is wrong, or could not be read. */
  WRONG: 1,
  /** The command was not used as it can be. */
  USAGE: 2,
  /** As a shell has it for what SIGINT ended. */
  INTERRUPTED: 130,
} as const;

/** The command was not used as it can be: what is said, and nothing is done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
