//! The second wall inside the database: what PUBLIC may no longer do, so that one injected expression reads nothing of others.
use tokio_postgres::Client;

use crate::error::ProvisionError;

/// Functions of `pg_catalog` (by name) that run SQL text, change settings, talk to other sessions, take database-wide locks,
/// write WAL, look at files or at other sessions' statements.
const NAMES: &[&str] = &[
    "set_config",
    "ts_stat",
    "ts_rewrite",
    "pg_notify",
    "loread",
    "lowrite",
    "pg_logical_emit_message",
    "pg_prepared_statement",
    "pg_cursor",
    "pg_cancel_backend",
    "pg_terminate_backend",
    "pg_database_size",
    "pg_tablespace_size",
    "pg_export_snapshot",
    "pg_stat_get_activity",
    "pg_stat_file",
    "pg_current_logfile",
    "currtid2",
];
/// The same by shape of name.
const SHAPES: &str = "^((query|table|schema|database|cursor)_to_xml.*|lo_.*|pg_(try_)?advisory_.*|pg_read_.*|pg_ls_.*|dblink.*)$";
/// Functions of our own `extensions` schema that change a session's settings.
const EXTENSION_NAMES: &[&str] = &["set_limit"];

const OPEN_FUNCTIONS: &str = "
    SELECT p.oid::regprocedure::text
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE ((n.nspname = 'pg_catalog' AND p.proname = ANY ($1)) OR (n.nspname = 'extensions' AND p.proname = ANY ($2))
           OR (n.nspname IN ('pg_catalog', 'extensions') AND p.proname ~ $3))
      AND has_function_privilege('public', p.oid, 'EXECUTE')
    ORDER BY 1";
const OPEN_LANGUAGES: &str = "
    SELECT quote_ident(lanname) FROM pg_catalog.pg_language
    WHERE lanpltrusted AND has_language_privilege('public', oid, 'USAGE') ORDER BY 1";

/// Logins of ours that are not stores may take advisory locks and notify; the provisioner sees who is logged in, to know
/// when a retired login is no longer used.
const GIVEN_BACK: &str = "
    SELECT format('GRANT EXECUTE ON FUNCTION %s TO provisioner, control_plane, relay;', oid::regprocedure)
    FROM pg_catalog.pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND (proname = 'pg_notify' OR proname ~ '^pg_(try_)?advisory_')
    UNION ALL
    SELECT format('GRANT EXECUTE ON FUNCTION %s TO provisioner;', oid::regprocedure)
    FROM pg_catalog.pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = 'pg_stat_get_activity'";

/// Takes the rights away from PUBLIC and gives the few back that our own logins need. Only a superuser may change the rights
/// on built-in functions; for any other admin this is a no-op.
/// Returns the walls that are missing afterwards (`function …`, `language …`): empty = all stand. Idempotent.
pub(crate) async fn revoke_from_public(
    admin: &Client,
    superuser: bool,
) -> Result<Vec<String>, ProvisionError> {
    if superuser {
        let (functions, languages) = open(admin).await?;
        let mut batch = String::new();
        for function in functions {
            batch.push_str(&format!("REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC;\n"));
        }
        for language in languages {
            batch.push_str(&format!("REVOKE USAGE ON LANGUAGE {language} FROM PUBLIC;\n"));
        }
        batch.push_str("GRANT USAGE ON LANGUAGE plpgsql, sql TO provisioner;\n");
        for row in admin.query(GIVEN_BACK, &[]).await? {
            batch.push_str(row.get::<_, &str>(0));
        }
        admin.batch_execute(&batch).await?;
    }
    let (functions, languages) = open(admin).await?;
    let functions = functions.into_iter().map(|name| format!("function {name}"));
    Ok(functions.chain(languages.into_iter().map(|name| format!("language {name}"))).collect())
}

async fn open(client: &Client) -> Result<(Vec<String>, Vec<String>), ProvisionError> {
    let functions = client.query(OPEN_FUNCTIONS, &[&NAMES, &EXTENSION_NAMES, &SHAPES]).await?;
    let languages = client.query(OPEN_LANGUAGES, &[]).await?;
    Ok((functions.iter().map(|row| row.get(0)).collect(), languages.iter().map(|row| row.get(0)).collect()))
}

/// What may be done in the database by whom, before the first table: run as its owner, `provisioner`. Idempotent.
pub(crate) fn database_rights(database: &str, lanes: u16) -> String {
    let lanes: Vec<String> = (1..=lanes).map(crate::roles::lane_role).collect();
    let lanes = lanes.join(", ");
    format!(
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC;
         GRANT CONNECT ON DATABASE {database} TO control_plane, relay, runtime_directory, {lanes};
         ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
         CREATE SCHEMA IF NOT EXISTS extensions;
         CREATE SCHEMA IF NOT EXISTS platform;
         CREATE SCHEMA IF NOT EXISTS control;
         GRANT USAGE ON SCHEMA extensions, platform TO PUBLIC;
         GRANT USAGE ON SCHEMA control TO control_plane;
         ALTER DEFAULT PRIVILEGES IN SCHEMA control GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO control_plane;
         ALTER DEFAULT PRIVILEGES IN SCHEMA control GRANT USAGE, SELECT ON SEQUENCES TO control_plane;
         ALTER DEFAULT PRIVILEGES IN SCHEMA control GRANT EXECUTE ON FUNCTIONS TO control_plane;
         CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA extensions;
         CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA extensions;
         CREATE TABLE IF NOT EXISTS platform.replaceable (
             name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
    )
}

/// The store's role, its schema and, before any table, the rights its future tables will give. Names are generated, never typed.
pub(crate) fn store_rights(
    schema: &str,
    role: &str,
    lane: u16,
    version: crate::roles::ServerVersion,
) -> String {
    let to_provisioner = version.grant_set_only(role, crate::roles::PROVISIONER);
    let to_lane = version.grant_set_only(role, &crate::roles::lane_role(lane));
    format!(
        "CREATE ROLE {role} NOLOGIN NOINHERIT;
         {to_provisioner}{to_lane}
         CREATE SCHEMA {schema};
         GRANT USAGE ON SCHEMA {schema} TO {role};
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role};
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT EXECUTE ON FUNCTIONS TO {role};
         CREATE TABLE {schema}.schema_version (version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
         REVOKE INSERT, UPDATE, DELETE ON {schema}.schema_version FROM {role};"
    )
}
