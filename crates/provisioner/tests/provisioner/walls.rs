//! Attacks on the walls between stores, from where an injection would stand: a lane's login inside a store's transaction.
use souk_provisioner::test_support::{TestDatabase, TestStore};
use souk_provisioner::{lane_password, lane_role};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

struct Stand {
    client: Client,
    mine: TestStore,
    theirs: TestStore,
}

async fn stand() -> Stand {
    let (mine, theirs) = (TestStore::open().await, TestStore::open().await);
    let database = TestDatabase::get().await;
    let login = lane_role(mine.lane);
    let client = database.login(&login, &lane_password(&database.secrets.lane_secret, &login)).await.unwrap();
    Stand { client, mine, theirs }
}

impl Stand {
    /// Runs one statement by the extended protocol in a store transaction, as the runtime does; returns the refusal's code.
    async fn refusal(&self, sql: &str) -> Option<SqlState> {
        let sql = sql.replace("{theirs}", &self.theirs.schema).replace("{mine}", &self.mine.schema);
        let sql = sql.replace("{their_role}", &self.theirs.role);
        let prologue = format!(
            "BEGIN; SET LOCAL ROLE {}; SET LOCAL search_path = {}, extensions; SET LOCAL statement_timeout = 3000",
            self.mine.role, self.mine.schema
        );
        self.client.batch_execute(&prologue).await.unwrap();
        let outcome = self.client.query(&sql, &[]).await;
        self.client.batch_execute("ROLLBACK").await.unwrap();
        outcome.err().map(|error| error.code().cloned().unwrap_or_else(|| panic!("{sql}: {error}")))
    }
}

#[tokio::test]
async fn one_injected_expression_reads_nothing_of_others() {
    let stand = stand().await;
    let attacks = [
        // The one that worked before the revokes.
        "SELECT set_config('role', '{their_role}', true), query_to_xml('SELECT * FROM {theirs}.store_settings', true, false, '')",
        "SELECT set_config('role', 'none', true)",
        "SELECT set_config('search_path', '{theirs}', true)",
        "SELECT query_to_xml('SELECT * FROM {theirs}.store_settings', true, false, '')",
        "SELECT query_to_xmlschema('SELECT 1', true, false, '')",
        "SELECT query_to_xml_and_xmlschema('SELECT 1', true, false, '')",
        "SELECT table_to_xml('{theirs}.store_settings'::regclass, true, false, '')",
        "SELECT schema_to_xml('{theirs}', true, false, '')",
        "SELECT database_to_xml(true, false, '')",
        "SELECT cursor_to_xml('c', 1, true, false, '')",
        "SELECT * FROM ts_stat('SELECT to_tsvector(name) FROM {theirs}.store_settings')",
        "SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery')",
        "SELECT * FROM {theirs}.store_settings",
        "SELECT * FROM {theirs}.schema_version",
        "SELECT '{theirs}.store_settings'::regclass::text",
        "SELECT * FROM control.accounts",
        "SELECT * FROM platform.store_ledger",
        "SELECT * FROM platform.store_hosts",
        "SELECT * FROM platform.outbox",
        "INSERT INTO platform.outbox DEFAULT VALUES",
        "SELECT platform.current_store()",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT loread(0, 1)",
        "SELECT pg_notify('store_ledger', 'x')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock(1)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_read_binary_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT pg_stat_file('/etc/passwd')",
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "SELECT pg_cancel_backend(pg_backend_pid())",
        "SELECT pg_logical_emit_message(false, 'x', 'y')",
        "SELECT * FROM pg_prepared_statements",
        "SELECT * FROM pg_stat_activity",
        "SELECT extensions.set_limit(0.1)",
        "SELECT pg_database_size(current_database())",
        "SELECT rolpassword FROM pg_authid",
        "CREATE TEMP TABLE t (a int)",
        "CREATE TABLE {mine}.t (a int)",
        "CREATE TABLE extensions.t (a int)",
        "CREATE TABLE public.t (a int)",
        "CREATE SCHEMA t",
        "CREATE FUNCTION {mine}.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO 'BEGIN END'",
        "ALTER TABLE {mine}.store_settings ADD COLUMN x int",
        "DROP TABLE {mine}.store_settings",
        "TRUNCATE {mine}.store_settings",
        "DELETE FROM {mine}.schema_version",
        "UPDATE {mine}.audit_entries SET actor = 'x'",
        "DELETE FROM {mine}.postings",
        "UPDATE {mine}.journal_entries SET kind = 'x'",
        "DELETE FROM {mine}.stock_movements",
        "UPDATE {mine}.payment_transactions SET amount_minor = 1",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "ALTER ROLE {their_role} LOGIN",
        "SET SESSION AUTHORIZATION postgres",
    ];
    for attack in attacks {
        let code = stand.refusal(attack).await;
        assert_eq!(code.as_ref(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{attack}: {code:?}");
    }
    // Stacked statements never reach the executor.
    assert_eq!(stand.refusal("SELECT 1; RESET ROLE").await, Some(SqlState::SYNTAX_ERROR));
    // A grant without the right to grant is only a warning, so its effect is looked at.
    let own = stand.mine.role.clone();
    for (schema, role) in [("{theirs}", own.as_str()), ("{mine}", "{their_role}")] {
        let sql = format!("GRANT ALL ON SCHEMA {schema} TO {role}");
        let prologue = format!("SET ROLE {own}; {sql}; RESET ROLE");
        let sql = prologue.replace("{theirs}", &stand.theirs.schema).replace("{mine}", &stand.mine.schema);
        // Refused or without effect, as the server likes.
        let _ = stand.client.batch_execute(&sql.replace("{their_role}", &stand.theirs.role)).await;
    }
    let database = TestDatabase::get().await;
    let admin = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    for (schema, role) in [(&stand.theirs.schema, &own), (&stand.mine.schema, &stand.theirs.role)] {
        let row = admin
            .query_one("SELECT has_schema_privilege($1::name, $2::text, 'USAGE')", &[role, schema])
            .await
            .unwrap();
        assert!(!row.get::<_, bool>(0));
    }
}

/// Not only the functions somebody thought of above: every one in every form that is closed, called as itself.
#[tokio::test]
async fn every_function_that_was_taken_away_is_refused() {
    let stand = stand().await;
    let database = TestDatabase::get().await;
    let admin = database.login("provisioner", &database.secrets.provisioner).await.unwrap();
    let closed = "SELECT p.oid::regprocedure::text, n.nspname || '.' || quote_ident(p.proname),
            array(SELECT format_type(kind, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS args (kind, place) ORDER BY place)
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('pg_catalog', 'extensions') AND p.prokind = 'f'
          AND NOT has_function_privilege('public', p.oid, 'EXECUTE')
        ORDER BY p.proname NOT IN ('set_config', 'query_to_xml'), 1";
    let mut names = Vec::new();
    for row in admin.query(closed, &[]).await.unwrap() {
        let (signature, name, kinds): (String, String, Vec<String>) = (row.get(0), row.get(1), row.get(2));
        // Columns, not constants: a strict function of a constant NULL is never called, so never asked for.
        let values: Vec<_> =
            kinds.iter().enumerate().map(|(at, kind)| format!("NULL::{kind} AS a{at}")).collect();
        let columns: Vec<_> = (0..kinds.len()).map(|at| format!("a{at}")).collect();
        let attack = format!(
            "SELECT {name}({}) FROM (SELECT {} OFFSET 0) args",
            columns.join(", "),
            values.join(", ")
        );
        let code = stand.refusal(&attack).await;
        assert_eq!(code.as_ref(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{signature}: {code:?}");
        names.push(row.get::<_, String>(1).rsplit('.').next().unwrap_or_default().to_owned());
    }
    println!("{} closed functions were called", names.len());
    for name in [
        "set_config",
        "query_to_xml",
        "table_to_xml",
        "schema_to_xml",
        "database_to_xml",
        "cursor_to_xml",
        "ts_stat",
        "ts_rewrite",
        "pg_notify",
        "lo_create",
        "lo_import",
        "loread",
        "lowrite",
        "pg_advisory_lock",
        "pg_try_advisory_lock",
        "pg_read_file",
        "pg_ls_dir",
        "pg_stat_file",
        "pg_logical_emit_message",
        "pg_prepared_statement",
        "pg_cursor",
        "pg_cancel_backend",
        "pg_terminate_backend",
        "pg_database_size",
        "pg_tablespace_size",
        "pg_export_snapshot",
        "pg_stat_get_activity",
        "pg_current_logfile",
        "currtid2",
        "set_limit",
    ] {
        assert!(names.iter().any(|known| known == name), "{name} is open");
    }
}

#[tokio::test]
async fn outside_a_store_transaction_nothing_works() {
    let stand = stand().await;
    for sql in [
        format!("SELECT * FROM {}.store_settings", stand.mine.schema),
        "SELECT * FROM platform.store_ledger".into(),
        "SELECT platform.emit(gen_random_uuid(), 'a', gen_random_uuid(), 'a.b', 1, '{}', NULL)".into(),
        "SELECT set_config('role', 'x', false)".into(),
    ] {
        let code = stand.client.query(&sql, &[]).await.unwrap_err().code().cloned();
        assert_eq!(code, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
    let unqualified = stand.client.query("SELECT * FROM store_settings", &[]).await.unwrap_err();
    assert_eq!(unqualified.code(), Some(&SqlState::UNDEFINED_TABLE));
    let path: String = stand.client.query_one("SHOW search_path", &[]).await.unwrap().get(0);
    assert!(path.is_empty() || path == "\"\"", "{path}");
    // Another lane's store is out of reach even by SET ROLE.
    let database = TestDatabase::get().await;
    let other_lane = loop {
        let store = TestStore::open().await;
        if store.lane != stand.mine.lane {
            break store;
        }
    };
    let set = stand.client.batch_execute(&format!("SET ROLE {}", other_lane.role)).await.unwrap_err();
    assert_eq!(set.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    // The directory reads the ledger and nothing else.
    let directory = souk_provisioner::DIRECTORY;
    let password = lane_password(&database.secrets.lane_secret, directory);
    let client = database.login(directory, &password).await.unwrap();
    client.query("SELECT * FROM platform.store_ledger", &[]).await.unwrap();
    for sql in [
        "SELECT * FROM platform.outbox",
        "UPDATE platform.store_ledger SET state = 'live'",
        "SELECT * FROM control.accounts",
    ] {
        assert!(client.query(sql, &[]).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn the_doors_speak_for_the_own_store_only() {
    let stand = stand().await;
    let prologue = format!(
        "BEGIN; SET LOCAL ROLE {}; SET LOCAL search_path = {}, extensions",
        stand.mine.role, stand.mine.schema
    );
    stand.client.batch_execute(&prologue).await.unwrap();
    let event = uuid::Uuid::now_v7();
    stand
        .client
        .query("SELECT platform.emit($1, 'product', $1, 'product.created', 1, '{\"a\": 1}', NULL)", &[&event])
        .await
        .unwrap();
    let own = stand.client.query("SELECT store_id FROM platform.own_store()", &[]).await.unwrap();
    assert_eq!(own.iter().map(|row| row.get::<_, uuid::Uuid>(0)).collect::<Vec<_>>(), [stand.mine.id.uuid()]);
    // What extensions are for still works without any right to make things.
    stand.client.query("SELECT similarity('a', 'b'), unaccent('é'), 'abc' % 'abd'", &[]).await.unwrap();
    stand.client.batch_execute("COMMIT").await.unwrap();
    let database = TestDatabase::get().await;
    let relay = database.login("relay", &database.secrets.relay).await.unwrap();
    let row =
        relay.query_one("SELECT store_id FROM platform.outbox WHERE event_id = $1", &[&event]).await.unwrap();
    assert_eq!(row.get::<_, uuid::Uuid>(0), stand.mine.id.uuid());
}

#[tokio::test]
async fn the_control_plane_uses_its_schema_and_owns_nothing() {
    let database = TestDatabase::get().await;
    let store = TestStore::open().await;
    let client = database.login("control_plane", &database.secrets.control_plane).await.unwrap();
    client.query("SELECT count(*) FROM control.schema_version", &[]).await.unwrap();
    for sql in [
        "DELETE FROM control.schema_version".to_owned(),
        "CREATE TABLE control.t (a int)".into(),
        "SELECT * FROM platform.outbox".into(),
        format!("SELECT * FROM {}.store_settings", store.schema),
    ] {
        let code = client.query(&sql, &[]).await.unwrap_err().code().cloned();
        assert_eq!(code, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
    if database.report.control_version > 0 {
        client.query("SELECT count(*) FROM control.accounts", &[]).await.unwrap();
    }
}

#[tokio::test]
async fn the_self_check_sees_a_breach() {
    let database = TestDatabase::fresh().await;
    let provisioner = database.provisioner().await;
    let request = souk_provisioner::test_support::test_request(souk_kernel::Country::DE);
    let first = provisioner.claim(&request).await.unwrap();
    let seen = provisioner.verify(first.store_id).await.unwrap();
    let failed: Vec<_> = seen.checks.iter().filter(|check| !check.passed).collect();
    assert!(failed.is_empty(), "{failed:?}");

    database.admin("GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC").await;
    assert!(!provisioner.verify(first.store_id).await.unwrap().is_sound());
    let next = souk_provisioner::test_support::test_request(souk_kernel::Country::DE);
    let refused = provisioner.claim(&next).await.unwrap_err();
    assert!(refused.to_string().contains("becomes another role"), "{refused}");
    database.admin("REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC").await;
    database.admin(&format!("GRANT SELECT ON platform.store_ledger TO {}", first.record.role)).await;
    assert!(!provisioner.verify(first.store_id).await.unwrap().is_sound());
    // The store that was refused goes live once the wall stands again.
    provisioner.claim(&next).await.unwrap();
    drop(provisioner);
    database.remove().await;
}
