import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { NamespaceOutcome, NamespaceTask } from './inNamespace';

const SCRIPT = path.join(__dirname, 'inNamespace.ts');

/** The address of the instance metadata service on this machine, or out where nothing answers. */
const NETWORKS = {
  metadata: 'ip address add 169.254.169.254/32 dev lo',
  silence:
    'ip link add silence type veth peer name drain && ip link set drain up && ip link set silence up arp off && ip route add 169.254.0.0/16 dev silence',
  none: 'true',
};

/** Why networks of one's own cannot be made here; nothing where they can. */
export function whyNoNamespaces(): string | undefined {
  try {
    execFileSync('unshare', unshared(NETWORKS.silence, ['true']), {
      stdio: 'pipe',
    });
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    return String(stderr ?? error).trim();
  }
}

/** Runs a task in a network of its own. */
export async function inNamespace(
  network: keyof typeof NETWORKS,
  task: NamespaceTask,
): Promise<NamespaceOutcome> {
  const command = [
    process.execPath,
    '--import',
    'tsx',
    SCRIPT,
    JSON.stringify(task),
  ];
  const { PATH, HOME } = process.env;
  const { stdout } = await promisify(execFile)(
    'unshare',
    unshared(NETWORKS[network], command),
    { cwd: path.join(__dirname, '..', '..'), env: { PATH, HOME } },
  );
  return JSON.parse(stdout);
}

/** As a user other than root one needs to be root in a namespace of users first. */
function unshared(network: string, command: string[]): string[] {
  const script = `ip link set lo up && ${network} && exec "$@"`;
  const isRoot = process.getuid?.() === 0;
  return [isRoot ? '-n' : '-rn', 'sh', '-c', script, 'sh', ...command];
}
