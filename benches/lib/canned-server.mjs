// The server that is no bottleneck, and the floor of the benchmark: both of the crate in benches/floor, which
// is built here.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { register } from 'tsx/cjs/api';
import { inRoot, run } from '../../scripts/lib/commands.mjs';
import { temporaryFolder } from '../../testing/temporaryFolder.cjs';

const require = createRequire(import.meta.url);
const TARGET = inRoot('target/floor');
const LIBRARIES = { darwin: 'libfloor.dylib', win32: 'floor.dll' };

/** The built crate as an addon of Node. */
export const FLOOR = path.join(
  TARGET,
  'release',
  LIBRARIES[process.platform] ?? 'libfloor.so',
);

/** Builds the crate, which does nothing where nothing has changed. */
export function buildFloor() {
  const manifest = inRoot('benches/floor/Cargo.toml');
  run(
    'cargo',
    ['build', '--release', '--locked', '--manifest-path', manifest],
    {
      env: { ...process.env, CARGO_TARGET_DIR: TARGET },
    },
  );
}

/** The bare clients, in the process that measures. */
export function loadFloor() {
  const addon = { exports: {} };
  process.dlopen(addon, FLOOR);
  return addon.exports;
}

/** A server of its own process, which counts what it is asked. */
export class CannedServer {
  #process;
  #ports;
  /** The authority whose certificate it has. */
  caFile;
  /** Where its zips are, each by the name of the repository that it is of. */
  zips;

  static async start(zips) {
    const server = new CannedServer();
    const folder = temporaryFolder('canned');
    server.zips = zips;
    mkdirSync(zips, { recursive: true });
    server.caFile = path.join(folder, 'ca.pem');
    const files = certify(folder, server.caFile);
    const program = path.join(TARGET, 'release', 'canned-server');
    server.#process = spawn(program, [zips, ...files], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: server.#process.stdout });
    for await (const line of lines) {
      server.#ports = JSON.parse(line);
      return server;
    }
    throw new Error('the canned server did not start');
  }

  /** The origins by how they are reached: `plain`, `tls`, and both with 20 ms between. */
  get origins() {
    const { plain, distant, tls, distantTls } = this.#ports;
    return {
      plain: `http://127.0.0.1:${plain}`,
      distant: `http://127.0.0.1:${distant}`,
      tls: `https://localhost:${tls}`,
      distantTls: `https://localhost:${distantTls}`,
    };
  }

  /** What was asked since the last time, in requests and bytes on the wire. */
  async counts() {
    const response = await fetch(`${this.origins.plain}/-/counts`);
    return response.json();
  }

  stop() {
    this.#process.stdin.end();
  }
}

/** Writes a certificate and its key, and the authority that issued it. */
function certify(folder, caFile) {
  register();
  const { certificate } = require('../../testing/certificates/Certificate.ts');
  const authority = certificate({ name: 'CA', ca: true });
  const own = certificate({ name: 'a', dns: ['localhost'], by: authority });
  const [certificateFile, keyFile] = ['server.pem', 'key.pem'].map(name =>
    path.join(folder, name),
  );
  writeFileSync(caFile, authority.pem);
  writeFileSync(certificateFile, own.pem);
  writeFileSync(keyFile, own.keyPem);
  return [certificateFile, keyFile];
}
