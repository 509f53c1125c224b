import type pg from 'pg';

/** Everything of the schema `actcore` that the catalogs know, but for the partitions, whose names depend on the day. */
const dumpQuery = `
  WITH relations AS (
    SELECT oid, relname, relkind, relpartbound FROM pg_class
    WHERE relnamespace = 'actcore'::regnamespace AND NOT relispartition)
  SELECT 1 AS part, relname AS name, format(E'CREATE TABLE actcore.%s (\\n%s)%s;', relname, (
      SELECT string_agg(line, E',\\n' ORDER BY place, line) FROM (
        SELECT attnum AS place, format('  %s %s%s%s', attname, format_type(atttypid, atttypmod),
          CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END,
          coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')) AS line
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = relations.oid AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT 10000, format('  CONSTRAINT %s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE conrelid = relations.oid AND contype <> 'n') AS lines),
      coalesce(' PARTITION BY ' || pg_get_partkeydef(oid), '')) AS text
  FROM relations WHERE relkind IN ('r', 'p')
  UNION ALL
  SELECT 2, relname, pg_get_indexdef(oid) || ';' FROM relations
  WHERE relkind IN ('i', 'I') AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = relations.oid)
  UNION ALL
  SELECT 3, relname, format('CREATE VIEW actcore.%s AS%s', relname, E'\\n' || pg_get_viewdef(oid)) FROM relations
  WHERE relkind IN ('v', 'm')
  UNION ALL
  SELECT 4, proname, pg_get_functiondef(oid) || ';' FROM pg_proc WHERE pronamespace = 'actcore'::regnamespace
  UNION ALL
  SELECT 5, tgname, pg_get_triggerdef(oid) || ';' FROM pg_trigger
  WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM relations)
  UNION ALL
  SELECT 6, relname, format('CREATE SEQUENCE actcore.%s;', relname) FROM relations WHERE relkind = 'S'
  ORDER BY part, name, text`;

/** The schema as text; needs no Postgres client on the machine, and is the same on every day. */
export async function dumpSchema(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ text: string }>(dumpQuery);
  return `${rows.map(({ text }) => text.trimEnd()).join('\n\n')}\n`;
}
