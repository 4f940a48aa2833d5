import { randomUUID } from 'node:crypto';

type Details = Record<string, string>;

/**
 * The errors that the stand-in knows: status, OAuth's name, and Entra ID's description.
 *
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const ERRORS: Record<
  number,
  [status: number, name: string, describe: (details: Details) => string]
> = {
  7000215: [
    401,
    'invalid_client',
    ({ clientId }) =>
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
  ],
  7000222: [
    401,
    'invalid_client',
    ({ clientId }) =>
      `The provided client secret keys for app '${clientId}' are expired.`,
  ],
  700016: [
    400,
    'unauthorized_client',
    ({ clientId, tenant }) =>
      `Application with identifier '${clientId}' was not found in the directory '${tenant}'.`,
  ],
  90002: [
    400,
    'invalid_request',
    ({ tenant }) => `Tenant '${tenant}' not found.`,
  ],
  700027: [
    401,
    'invalid_client',
    ({ clientId }) =>
      `The certificate with identifier used to sign the client assertion is not registered on application '${clientId}'.`,
  ],
  70003: [
    400,
    'unsupported_grant_type',
    () => 'The app requested an unsupported grant type.',
  ],
  7000218: [
    401,
    'invalid_client',
    () =>
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  ],
  70025: [
    401,
    'invalid_client',
    ({ clientId }) =>
      `The client '${clientId}' has no configured federated identity credentials.`,
  ],
  700024: [
    401,
    'invalid_client',
    () => 'Client assertion is not within its valid time range.',
  ],
  700213: [
    401,
    'invalid_client',
    ({ subject }) =>
      `No matching federated identity record found for presented assertion subject '${subject}'.`,
  ],
  500011: [
    400,
    'invalid_resource',
    ({ scope, tenant }) =>
      `The resource principal named ${scope} was not found in the tenant named ${tenant}.`,
  ],
  900144: [
    400,
    'invalid_request',
    ({ name }) =>
      `The request body must contain the following parameter: '${name}'.`,
  ],
};

/** A refusal, in the shape that Entra ID gives it. */
export class EntraError extends Error {
  readonly status: number;
  readonly body: object;

  constructor(
    readonly code: number,
    details: Details,
  ) {
    const [status, error, describe] = ERRORS[code];
    const [trace, correlation] = [randomUUID(), randomUUID()];
    const timestamp = new Date().toISOString().replace(/T(.*)\..*/, ' $1Z');
    const text = `AADSTS${code}: ${describe(details)}\r\nTrace ID: ${trace}\r\nCorrelation ID: ${correlation}\r\nTimestamp: ${timestamp}`;
    super(text);
    this.status = status;
    this.body = {
      error,
      error_description: text,
      error_codes: [code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    };
  }
}
