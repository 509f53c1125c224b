import type { Workstream } from './rules.ts';

/** One repository of the demo. */
export interface DemoRepo {
  name: string;
  /** Files of the first commit by path. */
  files: Record<string, string>;
  /** Files of a second commit that only the remote has: the clone is behind. */
  laterFiles?: Record<string, string>;
  /** Files changed in the clone and not committed. */
  uncommittedFiles?: Record<string, string>;
  /** Rows that the read model holds before the first sweep. */
  rows: Workstream[];
}

interface Sheet {
  id?: string;
  title: string;
  status: string;
  rowId?: string;
  tasks?: [id: string, title: string, status: string][];
}

const note = '# Workplans\n\nOne file a workplan; this file is none.\n';
const beaconRowId = '5d0c1f4e-2b6a-4c35-9a51-7e0f6f3f9b10';
const fjordRowId = 'c2b7a9d8-0e4f-4f0e-8d3c-1a6b5e4d3c2f';

/**
 * Six repos. What the first sweep repairs: atlas (rows, ids), beacon (behind its remote; a status that differs). What
 * stands until a person acts: cinder (C-01, C-03, C-04), delta (C-02), ember (C-16), fjord (C-02 with delta, C-06).
 */
export const demoRepos: DemoRepo[] = [
  {
    name: 'atlas',
    files: {
      'workplans/README.md': note,
      'workplans/0001-map-the-harbour.md': writeSheet({
        id: 'WP-0001',
        title: 'Map the harbour',
        status: 'active',
        tasks: [
          ['T-1', 'Sound the channel', 'done'],
          ['T-2', 'Draw the chart', 'in_progress'],
        ],
      }),
      'workplans/0002-print-the-chart.md': writeSheet({ id: 'WP-0002', title: 'Print the chart', status: 'proposed' }),
    },
    rows: [],
  },
  {
    name: 'beacon',
    files: { 'workplans/0010-light-the-beacon.md': writeBeacon('active', 'in_progress') },
    laterFiles: { 'workplans/0010-light-the-beacon.md': writeBeacon('done', 'done') },
    rows: [
      {
        id: beaconRowId,
        workplanId: 'WP-0010',
        path: 'workplans/0010-light-the-beacon.md',
        title: 'Light the beacon',
        status: 'active',
        tasks: [{ id: 'T-1', title: 'Carry up the lamp oil', status: 'in_progress' }],
      },
    ],
  },
  {
    name: 'cinder',
    files: {
      'workplans/0020-rake-the-hearth.md': '---\nid: WP-0020\ntitle: "Rake the hearth\nstatus: active\n---\n',
      'workplans/0021-sweep-the-flue.md': writeSheet({ id: 'WP-0021', title: 'Sweep the flue', status: 'wip' }),
      'workplans/0022-stack-the-wood.md': writeSheet({
        id: 'WP-0022',
        title: 'Stack the wood',
        status: 'active',
        tasks: [['T-1', 'Split the logs', 'nearly']],
      }),
    },
    rows: [],
  },
  {
    name: 'delta',
    files: {
      'workplans/0030-dredge-east.md': writeSheet({ id: 'WP-0030', title: 'Dredge the east arm', status: 'active' }),
      'workplans/0030-dredge-west.md': writeSheet({ id: 'WP-0030', title: 'Dredge the west arm', status: 'active' }),
      'workplans/0031-mark-the-bar.md': writeSheet({ title: 'Mark the bar', status: 'proposed' }),
      'workplans/0040-share-the-pilot.md': writeSheet({ id: 'WP-0040', title: 'Share the pilot', status: 'active' }),
    },
    rows: [],
  },
  {
    name: 'ember',
    files: {
      'workplans/0050-bank-the-fire.md': writeSheet({ id: 'WP-0050', title: 'Bank the fire', status: 'active' }),
    },
    uncommittedFiles: {
      'workplans/0050-bank-the-fire.md': writeSheet({ id: 'WP-0050', title: 'Bank the fire', status: 'blocked' }),
    },
    rows: [],
  },
  {
    name: 'fjord',
    files: {
      'workplans/0040-hire-the-pilot.md': writeSheet({ id: 'WP-0040', title: 'Hire the pilot', status: 'active' }),
    },
    rows: [
      {
        id: fjordRowId,
        workplanId: 'WP-0099',
        path: 'workplans/0099-lay-the-buoys.md',
        title: 'Lay the buoys',
        status: 'active',
        tasks: [],
      },
    ],
  },
];

/** A workplan file as a person writes it. */
export function writeSheet({ id, title, status, rowId, tasks = [] }: Sheet): string {
  const front = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    `title: ${title}`,
    `status: ${status}`,
    ...(rowId === undefined ? [] : [`state_hub_workstream_id: ${rowId}`]),
  ];
  const blocks = tasks.map(
    ([taskId, taskTitle, taskStatus]) =>
      `\n\`\`\`task\nid: ${taskId}\ntitle: ${taskTitle}\nstatus: ${taskStatus}\n\`\`\`\n`,
  );
  return `---\n${front.join('\n')}\n---\n\n# ${title}\n${blocks.join('')}`;
}

function writeBeacon(status: string, taskStatus: string): string {
  const tasks: Sheet['tasks'] = [['T-1', 'Carry up the lamp oil', taskStatus]];
  return writeSheet({ id: 'WP-0010', title: 'Light the beacon', status, rowId: beaconRowId, tasks });
}
