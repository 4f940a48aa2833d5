// Reads a URL with so many retries, and prints what came of it as JSON.
import {
  AzureIntegration,
  AzureUrlReader,
  DefaultAzureDevOpsCredentialsProvider,
} from 'backstage-azure-devops-native';

const [, , url, maxRetries] = process.argv;
const integration = new AzureIntegration({
  host: new URL(url).host,
  retry: { maxRetries: Number(maxRetries) },
});
const azure = { list: () => [integration] };
const credentialsProvider =
  DefaultAzureDevOpsCredentialsProvider.fromIntegrations({ azure });
const reader = new AzureUrlReader(integration, { credentialsProvider });

try {
  const answer = await reader.readUrl(url);
  console.log(JSON.stringify({ content: String(await answer.buffer()) }));
} catch ({ message }) {
  console.log(JSON.stringify({ message }));
}
process.exit();
