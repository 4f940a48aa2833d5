import { HumanDuration } from '@backstage/types';

/**
 * What this package reads of a backend's configuration: under `integrations.azure` the keys that the built-in
 * integration reads, each with the same visibility, and `retry`, `plainHttp` and `staleIfThrottled` of its
 * own; under `backend` what is its own.
 */
export interface Config {
  backend?: {
    reading?: {
      azureDevOps?: {
        /**
         * Whether this package reads; `false` leaves all reading to Backstage's built-in reader. It is
         * read once, when the backend starts, before the binary is loaded; true by default.
         */
        enabled?: boolean;

        /**
         * What is kept of repositories, so that what has not changed is not read again: lists,
         * contents and archives at a commit, each for the credential that read them. One process
         * keeps it for all plugins.
         */
        cache?: {
          /** The most memory for lists and contents, in bytes; 67108864 by default, 0 for none. */
          memoryBytes?: number;

          /**
           * The most disk for archives, in bytes; 536870912 by default, 0 for none. They lie in
           * `backend.workingDirectory`, in files without a name, and go with the process. Each is
           * an open file, so there are never more than 1024, nor than a quarter of the files that
           * the process may open; and they never take more than what stays free of the disk.
           */
          diskBytes?: number;
        };

        /**
         * How much a server may send and an archive may hold: what is more is not read, with an error
         * that names the limit and its key. One process has them for all plugins.
         */
        limits?: {
          /**
           * The most bytes of an answer in JSON, inflated, and of the names in an archive, together;
           * 268435456 by default (256 MiB).
           */
          jsonBytes?: number;

          /**
           * The most bytes of a file that is held in memory, inflated: one that is read as a buffer;
           * and of one out of an archive, also to disk; 2147483648 by default (2 GiB). A stream has no
           * such bound.
           */
          fileBytes?: number;

          /** The most bytes of an archive as it comes; 8589934592 by default (8 GiB). */
          archiveBytes?: number;

          /** The most bytes of an archive's files together, inflated; 34359738368 by default (32 GiB). */
          inflatedBytes?: number;

          /**
           * The most files and folders in an archive, those that its paths need included; 2000000 by
           * default.
           */
          archiveEntries?: number;

          /** The most bytes of a path in an archive; 4096 by default. */
          pathBytes?: number;

          /** The most names in a path in an archive; 256 by default. */
          pathDepth?: number;

          /**
           * How long the content of one answer may take, all together, e.g. `{ minutes: 30 }`, as by
           * default, or `5m`. Only the time counts in which a read waits for the server, and not that in
           * which the caller asks for no more.
           */
          contentWait?: HumanDuration | string;

          /** How many globs the braces of a search's glob may expand to; 1000 by default. */
          patternAlternatives?: number;
        };
      };
    };
  };

  integrations?: {
    /** The Azure DevOps hosts; `dev.azure.com` is there without being listed. */
    azure?: Array<{
      /**
       * The host, with its port if it has one: `dev.azure.com`, `my-org.visualstudio.com` or that
       * of an Azure DevOps Server.
       *
       * @visibility frontend
       */
      host: string;

      /**
       * How to sign in. The credential that names a URL's organization serves it; where none does,
       * the one that names no organization. What none serves is read with the default credential chain
       * (environment, machine, developer tools) at `dev.azure.com`, and anonymously at other hosts.
       *
       * The kind of credential follows from the fields that are given.
       */
      credentials?: Array<{
        /**
         * The organizations that it serves, or the collections of an Azure DevOps Server. Without
         * any, it serves every one that no other credential names.
         */
        organizations?: string[];

        /**
         * The client id of a service principal, or of a managed identity: `system-assigned` is the
         * machine's own.
         */
        clientId?: string;

        /**
         * The secret of a service principal.
         *
         * @visibility secret
         */
        clientSecret?: string;

        /**
         * The certificate of a service principal with its private key, in PEM.
         *
         * @visibility secret
         */
        clientCertificate?: string;

        /**
         * The path of a PEM file with the certificate of a service principal and its private key;
         * the file is read for every token.
         */
        clientCertificatePath?: string;

        /** The Entra ID tenant of a service principal. */
        tenantId?: string;

        /**
         * The client id of the managed identity that stands in for a service principal's secret;
         * `system-assigned` is the machine's own.
         */
        managedIdentityClientId?: string;

        /**
         * A personal access token as Azure DevOps shows it, not encoded, with the scope Code (Read).
         *
         * @visibility secret
         */
        personalAccessToken?: string;
      }>;

      /**
       * Whether the host is read over plain HTTP, where a URL says so: anyone on the network path can
       * read the credential. Without it an Azure DevOps Server is, with one warning; `allow` silences
       * the warning, `refuse` makes such reads fail. The hosts of Azure DevOps Services are never read
       * over plain HTTP.
       */
      plainHttp?: 'allow' | 'refuse';

      /**
       * How often a request is retried, and how many requests are sent in a minute. Without it, up to
       * five times, and as many as the host allows each credential.
       */
      retry?: {
        /** The most retries of a request; 5 by default, 0 for none. */
        maxRetries?: number;

        /** The statuses that are retried; 408, 429, 500, 502, 503 and 504 by default. */
        retryStatusCodes?: number[];

        /** The most requests in a minute by one credential; -1, as by default, for any number. */
        maxApiRequestsPerMinute?: number;
      };

      /**
       * Stale answers while the host throttles a credential: files of up to 1 MiB, and searches whose
       * contents are still cached, as they were read last. Without it such reads wait.
       */
      staleIfThrottled?: {
        /** How old they may be, e.g. `{ minutes: 30 }` or `30m`. */
        maxAge: HumanDuration | string;
      };

      /**
       * The PGP key with which commits are signed.
       *
       * @visibility secret
       */
      commitSigningKey?: string;
    }>;
  };
}
