import type { Frontmatter } from './definitions.ts';

/** Lines of a sweep of many targets, by the key `each`, each at its own path. */
export function fanOut(each: string, rest = ''): Frontmatter {
  return {
    sweep: `
  request: { method: POST, url: "\${TARGET_URL}/at/\${target}", headers: { Authorization: "Bearer \${TARGET_TOKEN}" } }
  each: ${each}
  outcome:
    lock_skipped: body.status == "lock_skipped"
    automation_error: body.automation_error != null
    assessment_failures: body.assessment_failures${rest}`,
  };
}

/** Names of targets. */
export function nameTargets(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `t${index}`);
}

/** Lines of a sweep that is followed to its end, by the key `poll`. */
export function polled(poll: string): Frontmatter {
  return {
    sweep: `
  request: { method: POST, url: "\${TARGET_URL}/start", headers: { Authorization: "Bearer \${TARGET_TOKEN}" } }
  poll: ${poll}
  outcome:
    lock_skipped: body.status == "lock_skipped"
    automation_error: body.automation_error != null
    assessment_failures: body.assessment_failures`,
  };
}
