import { cp, writeFile } from 'node:fs/promises';
import { makeBundle } from './bundle.ts';

/** The last step of the build: what the compiler does not carry over. Run from the compiled tree. */
const { code } = await makeBundle();
await writeFile(new URL('./workflow-bundle.js', import.meta.url), code);
await cp(new URL('../../history/migrations', import.meta.url), new URL('../history/migrations', import.meta.url), {
  recursive: true,
});
