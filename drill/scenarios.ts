import { playHerd } from './herd.ts';
import { playOutage } from './outage.ts';
import { outages } from './outages.ts';
import type { Result } from './result.ts';
import type { DrillOptions } from './scene.ts';
import { playSources } from './sources.ts';
import type { Stage } from './stage.ts';
import { playWatchdog } from './watchdog.ts';

/** One thing that the drill does to a running stack. */
export interface Scenario {
  name: string;
  /** A sentence for `--list`. */
  title: string;
  /** Whether it takes away a server that all share, or needs the machine for itself. */
  isAlone: boolean;
  play(stage: Stage, options: DrillOptions): Promise<Result>;
}

const titles: Record<string, string> = {
  'worker-killed': 'the only worker is killed (-9) and gone for 2 minutes',
  'worker-frozen': 'the only worker is stopped (SIGSTOP) for a minute',
  'two-workers': 'of two workers one is frozen for 30 s, then the other is killed (-9)',
  'target-hangs': 'the target takes requests and does not answer for a minute',
  'target-refuses': 'nothing listens at the target for a minute',
  'target-garbage': 'the target answers what is no JSON for a minute',
  'target-200mb': 'the target answers 200 MB for a minute',
  'target-clock':
    'the clock of the target is an hour ahead, then an hour behind, while it asks to be left alone until a time',
  'temporal-killed': 'the Temporal server is killed (-9) and gone for 2 minutes',
  'history-stopped': 'the Postgres of the history is stopped for 2 minutes',
};

const alone = new Set(['temporal-killed', 'history-stopped']);

/** All of them; those that do not disturb each other are played at once. */
export const scenarios: Scenario[] = [
  ...outages.map((outage): Scenario => {
    const { name } = outage;
    const play: Scenario['play'] = (stage, options) => playOutage(outage, stage, options);
    return { name, title: titles[name] ?? '', isAlone: alone.has(name), play };
  }),
  {
    name: 'watchdog',
    title:
      'the ledger watchdog repairs what a generator breaks for 5 minutes, while workers are killed inside remedies',
    isAlone: false,
    play: playWatchdog,
  },
  {
    name: 'sources',
    title: 'a timer beside the schedule for 10 minutes, our worker killed for one of them; then the cutover, and back',
    isAlone: false,
    play: playSources,
  },
  {
    name: 'herd',
    title: '200 definitions fire on the same second',
    isAlone: true,
    play: (stage, options) => playHerd('herd', false, stage, options),
  },
  {
    name: 'herd-spread',
    title: '200 definitions with `spread: 20s`; p99 of the lateness below 1 s',
    isAlone: true,
    play: (stage, options) => playHerd('herd-spread', true, stage, options),
  },
];
