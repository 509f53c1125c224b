import { mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { seedDemo } from './demo.ts';
import { startStateHub } from './server.ts';
import { describeError } from './walk.ts';

const text = z.string().min(1);
const settings = z.object({
  STATE_HUB_DATABASE_URL: text,
  STATE_HUB_DIR: text.optional(),
  STATE_HUB_PORT: z.coerce.number().int().min(0).max(65_535).default(8010),
  STATE_HUB_HOST: text.optional(),
  STATE_HUB_TOKEN: text.optional(),
  STATE_HUB_DEMO: z.enum(['0', '1']).default('0'),
});

async function main(): Promise<void> {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
  const read = settings.safeParse(given);
  if (!read.success) {
    throw new Error(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  }
  const env = read.data;
  const databaseUrl = env.STATE_HUB_DATABASE_URL;
  const reposDir = env.STATE_HUB_DIR;
  if (env.STATE_HUB_DEMO === '1') {
    if (reposDir === undefined) throw new Error('STATE_HUB_DEMO=1 needs STATE_HUB_DIR, the folder to make the demo in');
    await mkdir(reposDir, { recursive: true });
    await seedDemo({ dir: reposDir, databaseUrl });
  }
  const hub = await startStateHub({
    databaseUrl,
    port: env.STATE_HUB_PORT,
    ...(reposDir !== undefined && { reposDir }),
    ...(env.STATE_HUB_HOST !== undefined && { host: env.STATE_HUB_HOST }),
    ...(env.STATE_HUB_TOKEN !== undefined && { token: env.STATE_HUB_TOKEN }),
  });
  const stop = (): void => void hub.close().then(() => process.exit(0));
  // `on`, not `once`: execa ends the process at a signal for which it finds no listener left but its own.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdout.write(`State Hub listens at ${hub.url}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`State Hub cannot start: ${describeError(error)}\n`);
  process.exitCode = 1;
});
