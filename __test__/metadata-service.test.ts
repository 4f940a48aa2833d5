import { inNamespace, whyNoNamespaces } from './authentication/namespace';

const CLIENT_ID = '6b3e2d0c-6d37-4a3e-9f0c-3a4f4d1b2c5e';
const AZURE_DEVOPS = '499b84ac-1321-427f-aa17-267ca6975798';

const reason = whyNoNamespaces();
if (reason) {
  console.warn(`Skipped: no network namespaces can be made here, ${reason}`);
}

(reason ? describe.skip : describe)('the instance metadata service', () => {
  it.each([
    ['a user-assigned identity', CLIENT_ID],
    ['the system-assigned identity', 'system-assigned'],
  ])('gives a token for %s, once for a hundred reads', async (_who, id) => {
    const clientId = id === 'system-assigned' ? undefined : id;
    const { outcomes, asked } = await inNamespace('metadata', {
      identities: [{ clientId }],
      credentials: [{ clientId: id }],
      reads: 100,
    });
    expect(new Set(outcomes.map(({ content }) => content))).toEqual(
      new Set(['content']),
    );
    expect(asked).toEqual([
      expect.objectContaining({
        resource: AZURE_DEVOPS,
        ...(clientId && { client_id: clientId }),
      }),
    ]);
  });

  it('is found by the default chain', async () => {
    const { outcomes, asked } = await inNamespace('metadata', {
      identities: [{}],
      reads: 100,
    });
    expect(outcomes[99].content).toBe('content');
    expect(asked).toHaveLength(1);
  });

  it('is waited for while it starts', async () => {
    const { outcomes } = await inNamespace('metadata', {
      identities: [{}],
      faults: [404, 503],
      credentials: [{ clientId: 'system-assigned' }],
      reads: 1,
    });
    expect(outcomes[0].content).toBe('content');
  });

  it('that has no such identity says so', async () => {
    const { outcomes } = await inNamespace('metadata', {
      identities: [],
      credentials: [{ clientId: CLIENT_ID }],
      reads: 1,
    });
    expect(outcomes[0].error?.message).toMatch(
      /a managed identity \(integrations\.azure\[\d\]\.credentials\[\d\]\) has no token for dev\.azure\.com, organization namespace: the machine's managed identity endpoint refused, 400: Identity not found\. Check that the identity is assigned/,
    );
  });

  it.each([
    ['silence', /managed identity: nothing answers at 169\.254\.169\.254/],
    [
      'page',
      /managed identity: the machine's managed identity endpoint answered 404 Not Found with something that is not JSON, so something else/,
    ],
    [
      'trouble',
      /the default credential chain failed: .*managed identity: the machine's managed identity endpoint answered 503 Service Unavailable with something that is not JSON/,
    ],
  ] as const)(
    'that something else answers for (%s) does not keep a read waiting',
    async (stranger, message) => {
      const { outcomes } = await inNamespace('metadata', {
        stranger,
        reads: 1,
      });
      const [{ ms, error }] = outcomes;
      expect(error?.message).toMatch(message);
      expect(error?.message).not.toContain('HTTPS_PROXY');
      expect(ms).toBeLessThan(3_000);
    },
  );

  it.each(['silence', 'none'] as const)(
    'that is not there (%s) does not keep a read waiting',
    async network => {
      const { outcomes } = await inNamespace(network, { reads: 1 });
      const [{ ms, error }] = outcomes;
      expect(ms).toBeLessThan(3_000);
      expect(error).toMatchObject({
        name: 'AuthenticationError',
        message: expect.stringMatching(
          /401 Unauthorized.*Read with no credential for dev\.azure\.com, organization namespace: add a credential.*environment: AZURE_TENANT_ID and AZURE_CLIENT_ID are not set; workload identity: AZURE_FEDERATED_TOKEN_FILE is not set; managed identity: nothing answers at 169\.254\.169\.254.*; Azure CLI: az not found on PATH; Azure Developer CLI: azd not found on PATH/,
        ),
      });
    },
  );
});
