import { getEngine, UnknownEngineError } from '#libs/persistence';
import { InvalidShardsError } from '../errors/invalid-shards.error.js';
import type { ShardDefinition } from './shard-definition.js';

const ENTRY = /^([a-z][a-z0-9-]*)(\.replica)?=(.+)$/s;

interface Entry {
  readonly id: string;
  readonly isReplica: boolean;
  readonly url: string;
  readonly engine: string;
}

/** One `id=url`; problems go to the list, so that all of them are reported at once. */
function parseEntry(text: string, position: number, problems: string[]): Entry | undefined {
  const [, id, replica, url] = ENTRY.exec(text.trim()) ?? [];
  if (!id || !url) {
    problems.push(`Entry ${position} is not of the form <id>=<url>.`);
    return undefined;
  }
  try {
    return { id, isReplica: replica !== undefined, url, engine: getEngine(url).name };
  } catch (error) {
    if (!(error instanceof UnknownEngineError)) throw error;
    problems.push(`Entry ${position} ("${id}"): ${error.message}`);
    return undefined;
  }
}

function addPrimary(entry: Entry, shards: Map<string, ShardDefinition>, problems: string[]): void {
  const twin = [...shards.values()].find((shard) => shard.url === entry.url);
  if (shards.has(entry.id)) problems.push(`"${entry.id}" is defined twice.`);
  // One database under two names would count each of its rows twice in every fan-out.
  else if (twin) problems.push(`"${entry.id}" and "${twin.id}" are the same database.`);
  else shards.set(entry.id, { id: entry.id, url: entry.url, replicaUrls: [] });
}

function addReplica(entry: Entry, shards: Map<string, ShardDefinition>, problems: string[]): void {
  const shard = shards.get(entry.id);
  if (!shard) problems.push(`The replica of "${entry.id}" has no shard of that name.`);
  else if (getEngine(shard.url).name !== entry.engine) problems.push(`The replica of "${entry.id}" is another engine.`);
  else if (entry.engine === 'sqlite') problems.push(`"${entry.id}" is a SQLite file, which has no replicas.`);
  else shards.set(entry.id, { ...shard, replicaUrls: [...(shard.replicaUrls ?? []), entry.url] });
}

/**
 * Reads the environment form of the shards, `shard-1=<url>,shard-2=<url>,shard-1.replica=<url>`, in the order given.
 * Pure. Several replicas of one shard repeat its entry.
 *
 * @throws {InvalidShardsError} with every problem found, never with a URL
 */
export function parseShards(text: string): ShardDefinition[] {
  const problems: string[] = [];
  const parts = text.trim() === '' ? [] : text.split(',');
  const entries = parts.flatMap((part, index) => parseEntry(part, index + 1, problems) ?? []);
  const shards = new Map<string, ShardDefinition>();
  for (const entry of entries.filter(({ isReplica }) => !isReplica)) addPrimary(entry, shards, problems);
  for (const entry of entries.filter(({ isReplica }) => isReplica)) addReplica(entry, shards, problems);
  if (parts.length === 0) problems.push('There is no shard.');
  if (problems.length > 0) throw new InvalidShardsError(problems);
  return [...shards.values()];
}
