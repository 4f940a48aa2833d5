import { randomUUID } from 'node:crypto';

/** What an error's description names. */
export type Details = Record<string, string>;

type Known = [
  status: number,
  name: string,
  describe: (details: Details) => string,
];

const client = (describe: Known[2]): Known => [401, 'invalid_client', describe];
const request = (describe: Known[2]): Known => [
  400,
  'invalid_request',
  describe,
];

/**
 * The errors that the stand-in knows: status, OAuth's name, and Entra ID's description.
 *
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const ERRORS: Record<number, Known> = {
  70003: [
    400,
    'unsupported_grant_type',
    ({ grant }) => `The app requested an unsupported grant type '${grant}'.`,
  ],
  70021: request(
    ({ issuer, subject, audience }) =>
      `No matching federated identity record found for presented assertion. Assertion Issuer: '${issuer}'. Assertion Subject: '${subject}'. Assertion Audience: '${audience}'.`,
  ),
  70025: client(
    ({ clientId }) =>
      `The client '${clientId}' has no configured federated identity credentials.`,
  ),
  90002: request(({ tenant }) => `Tenant '${tenant}' not found.`),
  500011: [
    400,
    'invalid_resource',
    ({ resource, tenant }) =>
      `The resource principal named ${resource} was not found in the tenant named ${tenant}.`,
  ],
  700016: [
    400,
    'unauthorized_client',
    ({ clientId, tenant }) =>
      `Application with identifier '${clientId}' was not found in the directory '${tenant}'.`,
  ],
  700021: client(
    () =>
      "Client assertion application identifier doesn't match 'client_id' parameter.",
  ),
  700023: client(
    () => 'Client assertion audience claim does not match Realm issuer.',
  ),
  700024: client(
    ({ from, until }) =>
      `Client assertion is not within its valid time range. Current time: ${new Date().toISOString()}, assertion valid from ${from}, expiry time of assertion ${until}.`,
  ),
  700027: client(
    ({ clientId, reason }) =>
      `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - ${reason}, Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '${clientId}'.]`,
  ),
  700213: client(
    ({ subject }) =>
      `No matching federated identity record found for presented assertion subject '${subject}'.`,
  ),
  900144: request(
    ({ name }) =>
      `The request body must contain the following parameter: '${name}'.`,
  ),
  900561: request(
    ({ method }) =>
      `The endpoint only accepts POST requests. Received a ${method} request.`,
  ),
  7000215: client(
    ({ clientId }) =>
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
  ),
  7000218: client(
    () =>
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  ),
  7000222: client(
    ({ clientId }) =>
      `The provided client secret keys for app '${clientId}' are expired.`,
  ),
};

/** A refusal of Entra ID's. */
export class EntraError extends Error {
  readonly status: number;
  readonly #name: string;

  constructor(
    readonly code: number,
    details: Details = {},
  ) {
    const [status, name, describe] = ERRORS[code];
    super(`AADSTS${code}: ${describe(details)}`);
    this.status = status;
    this.#name = name;
  }

  /** The answer's body; requests may say what their correlation id is. */
  body(correlation: string = randomUUID()): Record<string, unknown> {
    const trace = randomUUID();
    const timestamp = new Date().toISOString().replace(/T(.*)\..*/, ' $1Z');
    return {
      error: this.#name,
      error_description: `${this.message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [this.code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
      error_uri: `https://login.microsoftonline.com/error?code=${this.code}`,
    };
  }
}
