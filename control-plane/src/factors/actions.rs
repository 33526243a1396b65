//! The stories of a second factor, each inside one transaction.

use souk_access::{NoEntropy, RecoveryCode, SigningKey};
use souk_kernel::{AccountId, SessionId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::FactorError;
use super::model::{Enrolment, Factor, FactorView, RECOVERY_CODES, RecoveryCodes, secret};
use super::queries;
use crate::accounts::{self, Account, AccountError};
use crate::config::Settings;
use crate::messages::{self, FactorChange, Letter};

/// Whether there is a second factor.
pub async fn show(tx: &mut ReadTx<'_>, account: AccountId) -> Result<FactorView, FactorError> {
    let confirmed_at = queries::find(tx, account).await?.and_then(|factor| factor.confirmed_at);
    let recovery_codes_left = queries::codes_left(tx, account).await?;
    Ok(FactorView { enabled: confirmed_at.is_some(), confirmed_at, recovery_codes_left })
}

/// Begins: the app gets its secret. Nothing is asked for before the first code has come back.
pub async fn enrol(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    account: &Account,
) -> Result<Enrolment, FactorError> {
    let mut nonce = [0_u8; 16];
    getrandom::fill(&mut nonce).map_err(|_| NoEntropy)?;
    if !queries::begin(tx, account.id, &nonce).await? {
        return Err(FactorError::Already);
    }
    let totp = secret(signing, account.id, &account.email, &nonce);
    Ok(Enrolment { secret: totp.base32(), uri: totp.uri().ok_or(FactorError::Unnamed)? })
}

/// Uses a code of the app up. Of parallel uses of one code one is taken.
async fn take(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    account: &Account,
    factor: &Factor,
    code: &str,
) -> Result<(), FactorError> {
    let totp = secret(signing, account.id, &account.email, &factor.nonce);
    let now = tx.now().timestamp();
    let step = totp.accepts(code, now, factor.last_step).ok_or(FactorError::Wrong)?;
    if queries::take_step(tx, account.id, step).await? { Ok(()) } else { Err(FactorError::Wrong) }
}

async fn new_codes(tx: &mut WriteTx<'_>, account: AccountId) -> Result<RecoveryCodes, FactorError> {
    let codes: Vec<_> =
        std::iter::repeat_with(RecoveryCode::mint).take(RECOVERY_CODES).collect::<Result<_, _>>()?;
    queries::replace_codes(tx, account, &codes).await?;
    Ok(RecoveryCodes { recovery_codes: codes.iter().map(RecoveryCode::expose).collect() })
}

async fn tell(
    tx: &mut WriteTx<'_>,
    settings: &Settings,
    account: &Account,
    change: FactorChange,
) -> Result<(), FactorError> {
    let link = settings.page("forgot-password");
    let letter = Letter::SecondFactor { name: account.name.as_str(), email: &account.email, change, link };
    Ok(messages::queue(tx, &letter).await?)
}

/// The first code came back: from now on signing in asks for one, and what other sessions proved without one is worth nothing. Gives
/// the recovery codes.
pub async fn confirm(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    settings: &Settings,
    account: AccountId,
    session: SessionId,
    code: &str,
) -> Result<RecoveryCodes, FactorError> {
    let account = accounts::find(tx, account).await?.ok_or(AccountError::Gone)?;
    let factor = queries::find(tx, account.id).await?.filter(|factor| factor.confirmed_at.is_none());
    take(tx, signing, &account, &factor.ok_or(FactorError::None)?, code).await?;
    queries::confirm(tx, account.id).await?;
    queries::unprove(tx, account.id).await?;
    queries::prove(tx, session).await?;
    tell(tx, settings, &account, FactorChange::On).await?;
    new_codes(tx, account.id).await
}

/// Asks for a code if the account has a second factor: one of the app, or a recovery code; each works once. Gives whether there was one
/// to ask for.
///
/// # Errors
/// [`FactorError::Required`] without a code, [`FactorError::Wrong`] with a wrong one. The transaction must then be rolled back.
pub async fn check(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    settings: &Settings,
    account: &Account,
    code: Option<&str>,
) -> Result<bool, FactorError> {
    let factor = queries::find(tx, account.id).await?.filter(|factor| factor.confirmed_at.is_some());
    let Some(factor) = factor else { return Ok(false) };
    let code = code.ok_or(FactorError::Required)?;
    match RecoveryCode::parse(code) {
        Some(recovery) if queries::use_code(tx, account.id, &recovery).await? => {
            let left = queries::codes_left(tx, account.id).await?;
            tell(tx, settings, account, FactorChange::CodeUsed { left }).await?;
        }
        Some(_) => return Err(FactorError::Wrong),
        None => take(tx, signing, account, &factor, code).await?,
    }
    Ok(true)
}

/// Notes that whoever has the session proved themselves now: with the password before, and with the code here.
pub async fn prove(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    settings: &Settings,
    account: &Account,
    session: SessionId,
    code: Option<&str>,
) -> Result<(), FactorError> {
    check(tx, signing, settings, account, code).await?;
    Ok(queries::prove(tx, session).await?)
}

/// Takes the second factor away, or one that was begun and never confirmed.
pub async fn remove(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    settings: &Settings,
    account: &Account,
    code: Option<&str>,
) -> Result<(), FactorError> {
    queries::find(tx, account.id).await?.ok_or(FactorError::None)?;
    let was_on = check(tx, signing, settings, account, code).await?;
    queries::remove(tx, account.id).await?;
    if was_on { tell(tx, settings, account, FactorChange::Off).await } else { Ok(()) }
}

/// New recovery codes in place of the old ones.
pub async fn renew_codes(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    settings: &Settings,
    account: &Account,
    code: Option<&str>,
) -> Result<RecoveryCodes, FactorError> {
    if !check(tx, signing, settings, account, code).await? {
        return Err(FactorError::None);
    }
    tell(tx, settings, account, FactorChange::NewCodes).await?;
    new_codes(tx, account.id).await
}
