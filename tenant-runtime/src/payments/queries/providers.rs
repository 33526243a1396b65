//! The statements of how a store has set up its providers, and of its keys there.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Jsonb, Nullable, Text, Timestamptz};
use souk_access::{KeyMode, Sealed};
use souk_tenancy::{DbError, ReadTx, WriteTx, sql};

use super::unreadable;
use crate::payments::model::{Account, CredentialsView, NewCredentials, ProviderCode, ProviderView, Setup};

/// A store's keys at a provider, where there are any.
#[derive(QueryableByName)]
pub struct AccountRow {
    #[diesel(sql_type = Nullable<Binary>)]
    secret: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Text>)]
    secret_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    mode: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    former_until: Option<DateTime<Utc>>,
}

impl AccountRow {
    /// The account, if there is one.
    pub fn read(self) -> Result<Option<Account>, DbError> {
        let (Some(bytes), Some(key), Some(mode)) = (self.secret, self.secret_key, self.mode) else {
            return Ok(None);
        };
        let mode = match mode.as_str() {
            "test" => KeyMode::Test,
            "live" => KeyMode::Live,
            other => return Err(unreadable("mode of keys", other)),
        };
        Ok(Some(Account { sealed: Sealed { key, bytes }, mode, former_until: self.former_until }))
    }
}

#[derive(QueryableByName)]
struct ProviderRow {
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Jsonb)]
    settings: serde_json::Value,
    #[diesel(embed)]
    account: AccountRow,
}

/// How the store has set up a provider, if it has and lets shoppers choose it.
pub async fn chosen(tx: &mut ReadTx<'_>, code: ProviderCode) -> Result<Option<Setup>, DbError> {
    let text = "SELECT p.enabled, p.settings, c.secret, c.secret_key, c.mode, c.former_until \
        FROM payment_providers p LEFT JOIN payment_credentials c ON c.provider = p.code WHERE p.code = $1";
    let row: Option<ProviderRow> = tx.optional(sql(text).bind::<Text, _>(code.as_str())).await?;
    let Some(row) = row.filter(|row| row.enabled) else { return Ok(None) };
    // Settings nobody can read are settings that say nothing.
    let setup: Setup = serde_json::from_value(row.settings).unwrap_or_default();
    Ok(Some(Setup { account: row.account.read()?, ..setup }))
}

/// The store's keys at a provider, as they are now.
pub async fn account(tx: &mut ReadTx<'_>, code: ProviderCode) -> Result<Option<Account>, DbError> {
    let text = "SELECT secret, secret_key, mode, former_until FROM payment_credentials WHERE provider = $1";
    let row: Option<AccountRow> = tx.optional(sql(text).bind::<Text, _>(code.as_str())).await?;
    match row {
        Some(row) => row.read(),
        None => Ok(None),
    }
}

#[derive(QueryableByName)]
struct SetUpRow {
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Bool)]
    enabled: bool,
    #[diesel(sql_type = Jsonb)]
    settings: serde_json::Value,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Nullable<Text>)]
    mode: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    hint: Option<String>,
    #[diesel(sql_type = Nullable<Bool>)]
    has_webhook: Option<bool>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    former_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    updated_at: Option<DateTime<Utc>>,
}

impl From<SetUpRow> for ProviderView {
    fn from(row: SetUpRow) -> Self {
        let SetUpRow { code, title, enabled, settings, version, .. } = row;
        let credentials = match (row.mode, row.hint, row.updated_at) {
            (Some(mode), Some(hint), Some(updated_at)) => Some(CredentialsView {
                mode,
                hint,
                has_webhook_secret: row.has_webhook.unwrap_or_default(),
                former_webhook_secret_until: row.former_until,
                updated_at,
            }),
            _ => None,
        };
        // Settings nobody can read are settings that say nothing.
        let Setup { capture_later, return_hosts, .. } = serde_json::from_value(settings).unwrap_or_default();
        Self { code, title, enabled, capture_later, return_hosts, credentials, version }
    }
}

/// The store's providers, by their code.
pub async fn list(tx: &mut ReadTx<'_>) -> Result<Vec<ProviderView>, DbError> {
    let text = "SELECT p.code, p.title, p.enabled, p.settings, p.version, c.mode, c.hint, c.has_webhook, c.former_until, c.updated_at \
        FROM payment_providers p LEFT JOIN payment_credentials c ON c.provider = p.code ORDER BY p.code";
    let rows: Vec<SetUpRow> = tx.load(sql(text)).await?;
    Ok(rows.into_iter().map(ProviderView::from).collect())
}

/// A provider, locked until the transaction ends.
pub async fn lock(tx: &mut WriteTx<'_>, code: &str) -> Result<Option<ProviderView>, DbError> {
    let text = "SELECT p.code, p.title, p.enabled, p.settings, p.version, c.mode, c.hint, c.has_webhook, c.former_until, c.updated_at \
        FROM payment_providers p LEFT JOIN payment_credentials c ON c.provider = p.code WHERE p.code = $1 FOR UPDATE OF p";
    let row: Option<SetUpRow> = tx.optional(sql(text).bind::<Text, _>(code.to_owned())).await?;
    Ok(row.map(ProviderView::from))
}

/// Writes a provider and counts its version up. Settings we do not know stay.
pub async fn write(tx: &mut WriteTx<'_>, provider: &ProviderView) -> Result<(), DbError> {
    let text = "UPDATE payment_providers SET title = $2, enabled = $3, settings = settings || $4, version = version + 1 \
        WHERE code = $1";
    let ProviderView { capture_later, return_hosts, .. } = provider.clone();
    let setup = serde_json::to_value(Setup { capture_later, return_hosts, account: None })
        .map_err(|error| DbError::Other(Box::new(error)))?;
    let statement = sql(text)
        .bind::<Text, _>(provider.code.as_str())
        .bind::<Text, _>(provider.title.as_str())
        .bind::<Bool, _>(provider.enabled)
        .bind::<Jsonb, _>(setup);
    tx.execute(statement).await.map(drop)
}

/// Keeps the keys of the store's account at a provider, and counts the provider's version up.
pub async fn keep_credentials(
    tx: &mut WriteTx<'_>,
    code: ProviderCode,
    new: &NewCredentials,
    sealed: &Sealed,
) -> Result<(), DbError> {
    let now = tx.now();
    let text = "WITH counted AS (UPDATE payment_providers SET version = version + 1 WHERE code = $1) \
        INSERT INTO payment_credentials (provider, secret, secret_key, mode, hint, has_webhook, former_until, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
        ON CONFLICT (provider) DO UPDATE SET secret = excluded.secret, secret_key = excluded.secret_key, mode = excluded.mode, \
            hint = excluded.hint, has_webhook = excluded.has_webhook, former_until = excluded.former_until, updated_at = excluded.updated_at";
    let statement = sql(text)
        .bind::<Text, _>(code.as_str())
        .bind::<Binary, _>(sealed.bytes.clone())
        .bind::<Text, _>(sealed.key.as_str())
        .bind::<Text, _>(new.mode.as_str())
        .bind::<Text, _>(new.hint.as_str())
        .bind::<Bool, _>(new.keys.webhook_secret.is_some())
        .bind::<Nullable<Timestamptz>, _>(new.former_until)
        .bind::<Timestamptz, _>(now);
    tx.execute(statement).await.map(drop)
}

/// Forgets the keys and switches the provider off.
pub async fn forget_credentials(tx: &mut WriteTx<'_>, code: ProviderCode) -> Result<(), DbError> {
    let text = "WITH off AS (UPDATE payment_providers SET enabled = false, version = version + 1 WHERE code = $1) \
        DELETE FROM payment_credentials WHERE provider = $1";
    tx.execute(sql(text).bind::<Text, _>(code.as_str())).await.map(drop)
}
