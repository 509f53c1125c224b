import { readSources } from '../cli/definition-sources.ts';
import { compileFiles, prepareCompiler } from '../compiler/compile-files.ts';
import { renderProblem } from '../compiler/problem.ts';

const [folder = ''] = process.argv.slice(2);
const started = performance.now();
const before = process.cpuUsage();
const { files, problems: unread } = await readSources([folder]);
const readSeconds = (performance.now() - started) / 1_000;
await prepareCompiler(files);
const { definitions, problems } = compileFiles(files);
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(before);
const [problem] = [...unread, ...problems];
if (problem) throw new Error(renderProblem(problem));
const megabytes = process.resourceUsage().maxRSS / 1_024;
console.log(
  JSON.stringify({
    definitions: definitions.length,
    seconds,
    readSeconds,
    cpu: (user + system) / 1_000_000,
    megabytes,
  }),
);
