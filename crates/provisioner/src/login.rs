//! Logins of stores that have pods of their own: two roles a store, `l_<id>_1` and `l_<id>_2`, that take turns.
//!
//! A new password goes to the role that nobody uses, so the pods of yesterday go on with the old one until they are replaced;
//! then the old role is closed. PostgreSQL and its log see SCRAM verifiers only.
use souk_kernel::StoreId;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::Provisioner;
use crate::error::ProvisionError;
use crate::ledger::{self, State, StoreRecord};
use crate::life_cycle::wrong_state;
use crate::scram;

/// A login and its password, which exists only here and in whatever the caller writes it to.
#[derive(Clone)]
pub struct Credentials {
    pub user: String,
    pub password: String,
    pub record: StoreRecord,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.user)
    }
}

/// The name of one of a store's two logins.
#[must_use]
pub fn login_role(store: StoreId, slot: i16) -> String {
    format!("l_{}_{slot}", store.suffix())
}

impl Provisioner {
    /// A new password on the login that is free, which is in force from now on; the one before retires and stays good until
    /// [`Provisioner::retire_login`]. While one retires already, nobody was seen with the one in force: it gets the password.
    /// Locks the store (advisory).
    pub async fn issue_login(&self, store: StoreId, connections: i32) -> Result<Credentials, ProvisionError> {
        let password = random_password()?;
        let verifier = scram::verifier(&password)?;
        let client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'").await?;
        ledger::lock_store(&client, store).await?;
        let record = ledger::by_id(&client, store).await?.ok_or(ProvisionError::Unknown(store))?;
        if ![State::Live, State::Suspended].contains(&record.state) {
            return Err(wrong_state(store, record.state, "have a login"));
        }
        let (slot, retiring) = match &record.login {
            None => (1, None),
            Some(login) if login.retiring.is_some() => (login.slot, login.retiring),
            Some(login) => (3 - login.slot, Some(login.slot)),
        };
        let user = login_role(store, slot);
        let database = database(&client).await?;
        if !exists(&client, &user).await? {
            let member = self.server().grant_set_only(&record.role, &user);
            client.batch_execute(&format!("CREATE ROLE {user} NOINHERIT; {member}")).await?;
        }
        let attributes = format!(
            "ALTER ROLE {user} LOGIN NOINHERIT CONNECTION LIMIT {} PASSWORD '{verifier}';
             ALTER ROLE {user} SET search_path = '';
             GRANT CONNECT ON DATABASE {database} TO {user};",
            connections.max(1)
        );
        client.batch_execute(&attributes).await?;
        let record = ledger::set_login(&client, store, Some(slot), retiring, true).await?;
        let record = record.ok_or(ProvisionError::Unknown(store))?;
        client.batch_execute("COMMIT").await?;
        client.keep();
        Ok(Credentials { user, password, record })
    }

    /// Closes the login that retires, once nobody is connected with it; until then, and when none retires, nothing happens.
    /// Returns the row as it is now.
    pub async fn retire_login(&self, store: StoreId) -> Result<StoreRecord, ProvisionError> {
        let client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'").await?;
        ledger::lock_store(&client, store).await?;
        let mut record = ledger::by_id(&client, store).await?.ok_or(ProvisionError::Unknown(store))?;
        if let Some(login) = &record.login
            && let Some(old) = login.retiring
            && !is_connected(&client, &login_role(store, old)).await?
        {
            close(&client, &login_role(store, old)).await?;
            let now = ledger::set_login(&client, store, Some(login.slot), None, false).await?;
            record = now.ok_or(ProvisionError::Unknown(store))?;
        }
        client.batch_execute("COMMIT").await?;
        client.keep();
        Ok(record)
    }

    /// Closes both logins: the store has no pods of its own any more. Idempotent.
    pub async fn revoke_logins(&self, store: StoreId) -> Result<StoreRecord, ProvisionError> {
        let client = self.connections().lend().await?;
        client.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'").await?;
        ledger::lock_store(&client, store).await?;
        let mut record = ledger::by_id(&client, store).await?.ok_or(ProvisionError::Unknown(store))?;
        if record.login.is_some() {
            for slot in [1, 2] {
                close(&client, &login_role(store, slot)).await?;
            }
            let now = ledger::set_login(&client, store, None, None, false).await?;
            record = now.ok_or(ProvisionError::Unknown(store))?;
        }
        client.batch_execute("COMMIT").await?;
        client.keep();
        Ok(record)
    }

    /// Whether the login in force is as [`Provisioner::issue_login`] left it: may log in, may become the store's role.
    pub async fn login_stands(&self, record: &StoreRecord) -> Result<bool, ProvisionError> {
        let Some(login) = &record.login else { return Ok(false) };
        let user = login_role(record.store_id, login.slot);
        let client = self.connections().lend().await?;
        let sql = "SELECT r.rolcanlogin AND NOT r.rolsuper AND NOT r.rolcreaterole AND NOT r.rolbypassrls
                          AND EXISTS (SELECT 1 FROM pg_catalog.pg_auth_members m
                                      WHERE m.member = r.oid AND m.roleid = (SELECT s.oid FROM pg_catalog.pg_roles s WHERE s.rolname = $2))
                   FROM pg_catalog.pg_roles r WHERE r.rolname = $1";
        let rows = client.query_typed(sql, &[(&user, Type::TEXT), (&record.role, Type::TEXT)]).await?;
        client.keep();
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }
}

/// For a purge: the roles themselves, whatever they still may do.
pub(crate) async fn drop_logins(client: &Client, store: StoreId) -> Result<(), ProvisionError> {
    let database = database(client).await?;
    for slot in [1, 2] {
        let user = login_role(store, slot);
        if exists(client, &user).await? {
            let drop = format!("REVOKE CONNECT ON DATABASE {database} FROM {user}; DROP ROLE {user};");
            client.batch_execute(&drop).await?;
        }
    }
    Ok(())
}

async fn close(client: &Client, user: &str) -> Result<(), ProvisionError> {
    if exists(client, user).await? {
        client.batch_execute(&format!("ALTER ROLE {user} NOLOGIN PASSWORD NULL")).await?;
    }
    Ok(())
}

async fn exists(client: &Client, user: &str) -> Result<bool, ProvisionError> {
    let sql = "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1";
    Ok(!client.query_typed(sql, &[(&user, Type::TEXT)]).await?.is_empty())
}

async fn is_connected(client: &Client, user: &str) -> Result<bool, ProvisionError> {
    let sql = "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE usename = $1 LIMIT 1";
    Ok(!client.query_typed(sql, &[(&user, Type::TEXT)]).await?.is_empty())
}

/// The database, whose rights are this transaction's to change: two at once would meet in one row of the catalogue, and PostgreSQL
/// refuses the second ("tuple concurrently updated").
async fn database(client: &Client) -> Result<String, ProvisionError> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('souk:database-rights', 0))";
    client.query_typed(lock, &[]).await?;
    let rows = client.query_typed("SELECT quote_ident(current_database())", &[]).await?;
    rows.first().map(|row| row.get(0)).ok_or_else(|| ProvisionError::Refused("no database".into()))
}

fn random_password() -> Result<String, ProvisionError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| ProvisionError::Refused(format!("no randomness: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
