import { rewriteSql } from '../../expressions/sql-lexemes.ts';
import type { SqlStatement } from '../../workflows/contract.ts';
import type { Treatment } from './finding.ts';
import { asRelation, keyType, matchKey, row } from './sql-remedy-relation.ts';
import type { RemedyShape } from './sql-remedy-relation.ts';
import { findParameters } from './sql-remedy-values.ts';
import type { Parameter } from './sql-remedy-values.ts';
import { VariableList } from './sql-remedy-variables.ts';

/** A program for the server that cures findings one by one; it reads `actcore.input` and opens the cursor `actcore_outcome`. */
export interface RemedyScript {
  /** Ends at the first finding that is not cured, with the one outcome `again`, and at whatever is raised. */
  optimistic: string;
  /** Each finding in a subtransaction of its own. */
  careful: string;
  /** What `input.constants` has to hold. */
  constants: (string | null)[];
}

/** Remedy and audit as PL/pgSQL, which keeps their plans for all findings of a transaction and asks for no round trips. */
export function buildScript(treatment: Treatment, shape: RemedyShape): RemedyScript {
  const variables = new VariableList(shape);
  const write = (statement: SqlStatement, parameters: Parameter[]) =>
    rewriteSql(statement.text, ({ kind, text }) => {
      if (kind === 'position') return variables.place(parameters[Number(text.slice(1)) - 1]);
      // PL/pgSQL ends the query of a loop at this word; for SQL it is a name like any other.
      return kind === 'word' && text.toLowerCase() === 'loop' ? '"loop"' : undefined;
    });
  const { check } = treatment;
  const parts: ScriptParts = {
    detect: asRelation(write(check.detect, findParameters('detect', treatment, shape))),
    remedy: writeRemedy(shape.remedy, write(shape.remedy, findParameters('remedy', treatment, shape)), check.maxRows),
    audit: check.audit ? writeAudit(check.audit, write(check.audit, findParameters('audit', treatment, shape))) : '',
    match: matchKey(
      check.key,
      shape,
      check.key.map((_, index) => `actcore.k${index}`),
    ),
    lock: shape.lock,
    maxRows: check.maxRows,
  };
  const keys = check.key.map((name) => (shape.isComparable ? keyType(shape, name) : 'text'));
  const frame = (body: string) => quoteBody(writeFrame(body, keys, variables));
  const { constants } = variables;
  return {
    optimistic: frame(writeOptimistic(parts, variables)),
    careful: frame(writeCareful(parts, variables)),
    constants,
  };
}

interface ScriptParts {
  detect: string;
  remedy: string;
  audit: string;
  match: string;
  lock: string;
  maxRows: number;
}

function writeRemedy({ returnsRows }: SqlStatement, text: string, maxRows: number): string {
  if (!returnsRows) return `${text}\n; GET DIAGNOSTICS touched = ROW_COUNT;`;
  const json = 'pg_catalog.to_json(actcore.touched_row)::text';
  const gather = maxRows === 1 ? `after := ${json};` : `after := pg_catalog.concat_ws(',', actcore.after, ${json});`;
  const loop = `FOR touched_row IN ${text}\n LOOP touched := touched + 1; ${gather} END LOOP;`;
  return maxRows === 1 ? loop : `${loop} after := '[' || actcore.after || ']';`;
}

function writeAudit({ returnsRows }: SqlStatement, text: string): string {
  return returnsRows ? `FOR touched_row IN ${text}\n LOOP NULL; END LOOP;` : `${text}\n;`;
}

function writeFrame(body: string, keys: string[], { declarations }: VariableList): string {
  const inputs = [...keys.map((_, index) => `k${index}`), 'finding_key', 'decision'];
  const values = [
    ...keys.map((type, index) => `(e.v->>${index})::${type}`),
    `e.v->>${keys.length}`,
    `e.v->>${keys.length + 1}`,
  ];
  return `
#variable_conflict use_column
<<actcore>>
DECLARE
  input json := pg_catalog.current_setting('actcore.input')::json;
  results CONSTANT refcursor := 'actcore_outcome';
  finding_key text; decision text; before text; after text;
  touched bigint; touched_row record; is_clean boolean := true;
  outcome text; outcomes text[] := '{}'; befores text[] := '{}'; afters text[] := '{}';
  code text; codes text[] := '{}'; message text; messages text[] := '{}'; detail text; details text[] := '{}';
  ${keys.map((type, index) => `k${index} ${type};`).join(' ')}
  ${declarations.join('\n  ')}
BEGIN
  FOR ${inputs.join(', ')} IN
    SELECT ${values.join(', ')} FROM pg_catalog.json_array_elements(actcore.input->'findings') WITH ORDINALITY AS e(v, n) ORDER BY e.n
  LOOP
    outcome := 'cured'; before := NULL; after := NULL; touched := 0; code := NULL; message := NULL; detail := NULL;
${body}
    outcomes := outcomes || outcome; befores := befores || before; afters := afters || after;
    codes := codes || code; messages := messages || message; details := details || detail;
  END LOOP;
  SET CONSTRAINTS ALL IMMEDIATE;
  IF NOT is_clean THEN outcomes := '{again}'; END IF;
  OPEN results FOR
    SELECT r.*, pg_catalog.pg_current_xact_id_if_assigned()::text AS xid
    FROM ROWS FROM (pg_catalog.unnest(actcore.outcomes), pg_catalog.unnest(actcore.befores), pg_catalog.unnest(actcore.afters), pg_catalog.unnest(actcore.codes), pg_catalog.unnest(actcore.messages), pg_catalog.unnest(actcore.details))
      AS r(outcome, before, after, code, message, detail);
END`;
}

/** Views of the server's activity show one transaction the same for ever, unless told not to; they have no rows to lock. */
function refresh({ lock }: ScriptParts): string {
  return lock === '' ? 'PERFORM pg_catalog.pg_stat_clear_snapshot();' : '';
}

/** Looks at the finding again, under a lock, as it is by now. */
function writeLook(parts: ScriptParts, { targets, expressions }: VariableList): string {
  const { detect, match, lock } = parts;
  return `
    ${refresh(parts)}
    SELECT ${[`pg_catalog.to_json(${row})::text`, ...expressions].join(', ')} INTO ${['actcore.before', ...targets].join(', ')}
    FROM ${detect} WHERE ${match} ${lock};
    IF NOT FOUND THEN
      ${lock === '' ? '' : `PERFORM 1 FROM ${detect} WHERE ${match};`}
      outcome := CASE WHEN FOUND THEN 'locked' ELSE 'gone' END;
    ELSE`;
}

function writeOptimistic(parts: ScriptParts, variables: VariableList): string {
  return `${writeLook(parts, variables)}
      ${parts.remedy}
      ${refresh(parts)}
      IF touched > ${parts.maxRows} OR EXISTS (SELECT FROM ${parts.detect} WHERE ${parts.match}) THEN
        is_clean := false; EXIT;
      END IF;
      ${parts.audit}
    END IF;`;
}

function writeCareful(parts: ScriptParts, variables: VariableList): string {
  return `
    BEGIN${writeLook(parts, variables)}
      ${parts.remedy}
      ${refresh(parts)}
      IF touched > ${parts.maxRows} THEN outcome := 'too_many'; RAISE EXCEPTION 'too many'; END IF;
      IF EXISTS (SELECT FROM ${parts.detect} WHERE ${parts.match}) THEN
        outcome := 'not_cured'; RAISE EXCEPTION 'not cured';
      END IF;
      ${parts.audit}
      SET CONSTRAINTS ALL IMMEDIATE;
    END IF;
    EXCEPTION WHEN OTHERS THEN
      after := NULL;
      IF outcome NOT IN ('too_many', 'not_cured') THEN
        outcome := 'failed';
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        IF code = '55P03' THEN PERFORM pg_catalog.set_config('lock_timeout', '50ms', true); END IF;
      END IF;
    END;`;
}

/** Quoted by a tag that stands nowhere in it. */
function quoteBody(body: string): string {
  let tag = '$actcore$';
  for (let count = 1; body.includes(tag); count += 1) tag = `$actcore${count}$`;
  return `DO ${tag}${body}\n${tag}`;
}

/** One finding as `input.findings` has it: the texts of its key, the key's name, and its decision. */
export function describeInput(
  key: readonly string[],
  finding: { columns: ReadonlyMap<string, string | null>; key: string },
  decision: string,
): (string | null)[] {
  return [...key.map((name) => finding.columns.get(name) ?? null), finding.key, decision];
}

export const fetchOutcome = 'FETCH ALL FROM actcore_outcome';
