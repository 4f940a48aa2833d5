export { AppService } from './AppService';
export {
  AZURE_DEVOPS,
  EntraId,
  TOKEN_EXCHANGE,
  type App,
  type TokenRequest,
} from './EntraId';
export type { Fault } from './Faults';
export type { AssignedIdentity, IdentityRequest } from './IdentityEndpoint';
export { Imds } from './Imds';
export { writeTools, type Tool, type Tools } from './tools';
