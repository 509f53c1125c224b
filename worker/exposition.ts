/** One metric of Prometheus with its samples; the suffix is for those that have several lines for one thing. */
export interface Family {
  name: string;
  type: 'counter' | 'gauge' | 'histogram' | 'summary';
  help: string;
  samples: Sample[];
}

export interface Sample {
  suffix?: '_bucket' | '_sum' | '_count';
  labels?: Record<string, string>;
  value: number;
}

/** The text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/). Ends in a line break. */
export function writeExposition(families: Family[]): string {
  return families.map((family) => writeFamily(family)).join('');
}

/** A metric that is one number. */
export function writeNumber(name: string, type: 'counter' | 'gauge', help: string, value: number): Family {
  return { name, type, help, samples: [{ value }] };
}

function writeFamily({ name, type, help, samples }: Family): string {
  const lines = samples.map(({ suffix = '', labels = {}, value }) => {
    const named = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return `${name}${suffix}${named.length === 0 ? '' : `{${named.join(',')}}`} ${value === Infinity ? '+Inf' : value}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
