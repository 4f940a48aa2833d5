import {
  AuthenticationError,
  InputError,
  NotAllowedError,
  NotFoundError,
  NotModifiedError,
} from '@backstage/errors';
import type { FailedRequest, Failure } from './native';

/** Whether the native part gave a failure and not a result. */
export function isFailure(outcome: unknown): outcome is Failure {
  return (
    typeof outcome === 'object' && outcome !== null && 'message' in outcome
  );
}

/** The result, or the failure thrown as an error of its class. */
export function unwrap<T>(outcome: T | Failure): T {
  if (isFailure(outcome)) {
    throw toError(outcome);
  }
  return outcome;
}

/** The requests that failed, by their errors, for the diagnostics channel. */
const requests = new WeakMap<object, FailedRequest>();

/** The request that an error followed, if there was one. */
export function requestOf(error: unknown): FailedRequest | undefined {
  return requests.get(error as object);
}

/** The error that Backstage, or JavaScript itself, has for a failure. */
export function toError(failure: Failure): Error {
  const error = ofKind(failure);
  if (failure.request) requests.set(error, failure.request);
  return error;
}

function ofKind({ kind, message }: Failure): Error {
  switch (kind) {
    case 'InvalidUrl':
      return Object.assign(new TypeError(message), { code: 'ERR_INVALID_URL' });
    case 'MalformedEscape':
      return new URIError(message);
    case 'InvalidCharacter':
      return new DOMException(message, 'InvalidCharacterError');
    case 'Input':
      return new InputError(message);
    case 'NotFound':
      return new NotFoundError(message);
    case 'NotModified':
      return new NotModifiedError(message);
    case 'Authentication':
      return new AuthenticationError(message);
    case 'NotAllowed':
      return new NotAllowedError(message);
    default:
      return new Error(message);
  }
}
