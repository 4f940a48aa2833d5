import type { AzureDevOps } from './AzureDevOps';

export {
  AzureDevOps,
  DEFAULT_TOKEN,
  type AzureDevOpsOptions,
  type Hosted,
  type RepositoryToHost,
} from './AzureDevOps';
export { tokenOf } from './authentication';
export { Budget, unitsOf, type BudgetOptions } from './Budget';
export type { ConnectionFault } from './ConnectionFault';
export type { Gate } from './Gate';
export type { Http2Code, Misbehaviour } from './Misbehaviour';
export type { RecordedRequest } from './RecordedRequest';

/** The stand-in that the jest environment started; see `__test__/environment.ts`. */
export function standIn(): AzureDevOps {
  return (globalThis as unknown as { azure: AzureDevOps }).azure;
}
