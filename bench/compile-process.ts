import { compilePaths } from '../cli/definition-files.ts';
import { renderProblem } from '../compiler/problem.ts';

const [folder = ''] = process.argv.slice(2);
const started = performance.now();
const before = process.cpuUsage();
const { definitions, problems } = await compilePaths([folder]);
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(before);
const [problem] = problems;
if (problem) throw new Error(renderProblem(problem));
const megabytes = process.resourceUsage().maxRSS / 1_024;
console.log(JSON.stringify({ definitions: definitions.length, seconds, cpu: (user + system) / 1_000_000, megabytes }));
