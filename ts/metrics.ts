import {
  type Attributes,
  createNoopMeter,
  type Histogram,
  metrics,
  type Observable,
  ValueType,
} from '@opentelemetry/api';
import { native } from './binding';

/** What was counted since the process began. */
const COUNTERS = {
  'azure_devops.requests': {
    description: 'Requests to Azure DevOps, by operation and status',
    unit: '{request}',
  },
  'azure_devops.retries': {
    description: 'Requests to Azure DevOps that were made again, by reason',
    unit: '{request}',
  },
  'azure_devops.received': {
    description: 'Content that came from Azure DevOps',
    unit: 'By',
  },
  'azure_devops.throttle.cooldowns': {
    description: 'Times in which Azure DevOps lets a principal ask nothing',
    unit: '{cooldown}',
  },
  'azure_devops.stale_answers': {
    description: 'Answers from what was read before (staleIfThrottled)',
    unit: '{answer}',
  },
  'azure_devops.cache.lookups': {
    description: 'What was looked for in what is kept, and found or not',
    unit: '{lookup}',
  },
  'azure_devops.token.requests': {
    description: 'Requests for tokens, to Entra ID and others who give them',
    unit: '{request}',
  },
};

/** How it is now. */
const GAUGES = {
  'azure_devops.info': {
    description: 'Always 1; the attribute `version` is what runs',
    unit: '1',
  },
  'azure_devops.queue.length': {
    description: 'Requests that wait for their turn or for a limit',
    unit: '{request}',
  },
  'azure_devops.throttle.remaining': {
    description: 'Time in which nothing will be asked yet, because of a limit',
    unit: 's',
  },
  'azure_devops.throttle.budget': {
    description: 'What Azure DevOps says is left of a budget, from 0 to 1',
    unit: '1',
  },
  'azure_devops.cache.size': {
    description: 'How much is kept',
    unit: 'By',
  },
};

/** How long things took, in seconds. */
const HISTOGRAMS = {
  'azure_devops.request.duration': {
    description: 'Time until Azure DevOps began to answer a request',
    unit: 's',
  },
  'azure_devops.queue.wait.duration': {
    description: 'Time that a request waited for its turn or for a limit',
    unit: 's',
  },
};

const BOUNDARIES = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
];

const { version } = require('../package.json') as { version: string };

let reads: Histogram | undefined;

/**
 * Registers the measurements of the process with OpenTelemetry. As everywhere in Backstage, a
 * meter provider is set up before the backend starts; without one this costs nothing.
 */
export function startMetrics(): void {
  if (reads) return;
  const meter = metrics.getMeter('backstage-azure-devops-native');
  if (meter.constructor !== createNoopMeter().constructor) {
    native().startTimes();
  }
  const advice = { explicitBucketBoundaries: BOUNDARIES };
  const observables = new Map<string, Observable>();
  for (const [name, options] of Object.entries(COUNTERS)) {
    const whole = { ...options, valueType: ValueType.INT };
    observables.set(name, meter.createObservableCounter(name, whole));
  }
  for (const [name, options] of Object.entries(GAUGES)) {
    observables.set(name, meter.createObservableGauge(name, options));
  }
  const histograms = new Map<string, Histogram>();
  for (const [name, options] of Object.entries(HISTOGRAMS)) {
    histograms.set(name, meter.createHistogram(name, { ...options, advice }));
  }
  meter.addBatchObservableCallback(
    result => {
      const { counts, levels, durations } = native().measurements();
      const info = observables.get('azure_devops.info');
      if (info) result.observe(info, 1, { version });
      for (const { name, value, attributes } of [...counts, ...levels]) {
        const observable = observables.get(name);
        if (observable) result.observe(observable, value, attributes);
      }
      for (const { name, seconds, attributes } of durations) {
        const histogram = histograms.get(name);
        for (const time of seconds) histogram?.record(time, attributes);
      }
    },
    [...observables.values()],
  );
  reads = meter.createHistogram('azure_devops.read.duration', {
    description: 'Time until a caller had the answer to a read',
    unit: 's',
    advice,
  });
}

/** Measures a read of a caller, however it ends. */
export async function measured<T>(
  operation: 'readUrl' | 'readTree' | 'search',
  read: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const attributes: Attributes = { operation };
  try {
    return await read();
  } catch (error) {
    const type = error instanceof Error ? error.name : 'Error';
    // That nothing has changed is an answer, and most reads of a catalog have it.
    if (type !== 'NotModifiedError') attributes['error.type'] = type;
    throw error;
  } finally {
    reads?.record((performance.now() - startedAt) / 1000, attributes);
  }
}
