import type pg from 'pg';
import { inTransaction } from './revisions.ts';

/** Who owns the history: whoever migrates does it as this role. */
export const ownerRole = 'actcore_migrator';

/** The roles of a history, and what each is for. None of them can log in: a login is given one of them. */
export const roles = {
  [ownerRole]: 'owns the tables: `actcore migrate`',
  actcore_worker: 'writes what runs leave: `actcore worker`',
  actcore_operator: 'what a worker may, and to record definitions: the rest of the command line',
  actcore_reader: 'reads everything and changes nothing: dashboards, `actcore export`, pg_dump',
} as const;

export type Role = keyof typeof roles;

/** What `createRoles` changed. */
export interface RolesMade {
  created: Role[];
  /** How many tables and functions, and the schema, came to belong to the owner. */
  handedOver: number;
}

const users = 'actcore_reader, actcore_worker, actcore_operator';
const writers = 'actcore_worker, actcore_operator';

/**
 * Gives each role its rights, and takes from it what it does not have to have: all that is in the schema and will be made
 * in it, with the exceptions that are named. A table that nobody names is written by workers and operators, and nothing is
 * deleted from it.
 */
const grantRights = `
  GRANT USAGE ON SCHEMA actcore TO ${users};
  REVOKE ALL ON ALL TABLES IN SCHEMA actcore FROM PUBLIC, ${users};
  GRANT SELECT ON ALL TABLES IN SCHEMA actcore TO ${users};
  -- pg_dump asks how far each sequence is.
  GRANT SELECT ON ALL SEQUENCES IN SCHEMA actcore TO ${users};
  GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA actcore TO ${writers};
  -- What a run left is replaced by what a later report of it says.
  DO $$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY['assessments', 'errors', 'actions', 'action_batches'] LOOP
      IF to_regclass('actcore.' || name) IS NOT NULL THEN
        EXECUTE format('GRANT DELETE ON actcore.%I TO ${writers}', name);
      END IF;
    END LOOP;
  END $$;
  REVOKE INSERT, UPDATE ON actcore.definitions, actcore.revisions, actcore.retired_sources FROM actcore_worker;
  REVOKE INSERT, UPDATE ON actcore.migrations FROM ${writers};
  REVOKE UPDATE ON actcore.journal FROM ${writers};
  REVOKE ALL ON ALL FUNCTIONS IN SCHEMA actcore FROM PUBLIC, ${users};
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA actcore TO ${writers};
  -- Which months there are is asked by whoever looks after the history.
  GRANT EXECUTE ON FUNCTION actcore.list_months TO actcore_reader;
  -- Workers alone let rows go, and only as these do it.
  REVOKE EXECUTE ON FUNCTION actcore.drop_month, actcore.drop_surplus, actcore.roll_up_month FROM actcore_operator;
  ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole} IN SCHEMA actcore GRANT SELECT ON TABLES TO ${users};
  ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole} IN SCHEMA actcore GRANT SELECT ON SEQUENCES TO ${users};
  ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole} IN SCHEMA actcore GRANT INSERT, UPDATE ON TABLES TO ${writers};
  ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
  ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerRole} IN SCHEMA actcore GRANT EXECUTE ON FUNCTIONS TO ${writers};`;

/** What does not belong to the owner yet, as statements that change it; sequences of columns go with their tables. */
const listForeign = `
  SELECT format('ALTER SCHEMA actcore OWNER TO ${ownerRole}') AS statement
  FROM pg_namespace WHERE nspname = 'actcore' AND nspowner <> '${ownerRole}'::regrole
  UNION ALL
  SELECT format('ALTER TABLE %s OWNER TO ${ownerRole}', oid::regclass) FROM pg_class
  WHERE relnamespace = 'actcore'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relowner <> '${ownerRole}'::regrole
  UNION ALL
  SELECT format('ALTER FUNCTION %s OWNER TO ${ownerRole}', oid::regprocedure) FROM pg_proc
  WHERE pronamespace = 'actcore'::regnamespace AND proowner <> '${ownerRole}'::regrole`;

/**
 * Makes the roles of an up-to-date history where they are missing, hands the schema over to their owner, and sets the rights
 * of each. May be repeated. Takes a user that may create roles and owns the history, which is then granted the owner's role.
 */
export async function createRoles(pool: pg.Pool): Promise<RolesMade> {
  const client = await pool.connect();
  try {
    return await inTransaction(client, async () => {
      await client.query("SELECT pg_advisory_xact_lock(hashtextextended('actcore.migrate', 0))");
      const created: Role[] = [];
      for (const role of Object.keys(roles) as Role[]) if (await createRole(client, role)) created.push(role);
      await joinOwner(client);
      const { rows: foreign } = await client.query<{ statement: string }>(listForeign);
      for (const { statement } of foreign) await client.query(statement);
      await client.query(grantRights);
      return { created, handedOver: foreign.length };
    });
  } finally {
    client.release(true);
  }
}

/** True where it was not there. Roles belong to the whole server: another database of it may make them at the same time. */
async function createRole(client: pg.ClientBase, role: Role): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  if (rowCount !== 0) return false;
  await client.query(
    `DO $$ BEGIN CREATE ROLE ${role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
  );
  return true;
}

/** Whoever hands a schema over has to belong to its new owner, who has to be allowed to have one here. */
async function joinOwner(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ belongs: boolean }>(`SELECT pg_has_role('${ownerRole}', 'MEMBER') AS belongs`);
  if (rows[0]?.belongs !== true) await client.query(`GRANT ${ownerRole} TO CURRENT_USER`);
  await client.query(
    `DO $$ BEGIN
       IF NOT has_database_privilege('${ownerRole}', current_database(), 'CREATE') THEN
         EXECUTE format('GRANT CREATE ON DATABASE %I TO ${ownerRole}', current_database());
       END IF;
     END $$`,
  );
}

/** Acts as the owner from here on, where the history has one and this user belongs to it: what it makes is the owner's. */
export async function becomeOwner(client: pg.ClientBase): Promise<void> {
  if (await isOwned(client)) await client.query(`SET ROLE ${ownerRole}`);
}

/** Sets the rights on what a migration has added, where the history has an owner that this user belongs to. */
export async function renewRights(client: pg.ClientBase): Promise<void> {
  if (await isOwned(client)) await inTransaction(client, () => client.query(grantRights));
}

async function isOwned(client: pg.ClientBase): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
     WHERE nspname = 'actcore' AND rolname = '${ownerRole}' AND pg_has_role(nspowner, 'MEMBER')`,
  );
  return rowCount === 1;
}
