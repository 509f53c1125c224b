import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KnownActivity } from './activity.ts';
import { readIfThere, writeDurably } from './durable-file.ts';

/** The definitions as they were last seen, for a start that waits for nobody and for when nobody answers. */
export interface ActivityCache {
  read(definitionId: string): KnownActivity | undefined;
  write(definitionId: string, activity: KnownActivity): void;
}

/** A cache in a folder; what another version of the program has kept there counts for nothing. */
export function openActivityCache(folder: string, version: string): ActivityCache {
  const nameOf = (id: string) => `${createHash('sha256').update(id).digest('hex').slice(0, 24)}.json`;
  return {
    read(id) {
      try {
        const kept = JSON.parse(readIfThere(join(folder, nameOf(id))) ?? '') as Kept;
        return kept.version === version && kept.id === id ? kept.activity : undefined;
      } catch {
        return undefined;
      }
    },
    write(id, activity) {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const kept: Kept = { version, id, activity };
        writeDurably(folder, nameOf(id), JSON.stringify(kept), true);
      } catch {
        // It is asked for again the next time.
      }
    },
  };
}

interface Kept {
  version: string;
  id: string;
  activity: KnownActivity;
}
