//! The stories of a second factor, each inside one transaction.

use souk_access::{RecoveryCode, SigningKey};
use souk_kernel::{AccountId, SessionId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::FactorError;
use super::model::{Enrolment, FRESH, Factor, FactorView, RECOVERY_CODES, RecoveryCodes, secret};
use super::queries;
use crate::accounts::Account;

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
    getrandom::fill(&mut nonce).map_err(|_| souk_access::NoEntropy)?;
    if !queries::begin(tx, account.id, &nonce).await? {
        return Err(FactorError::Already);
    }
    let totp = secret(signing, account.id, &nonce);
    Ok(Enrolment { secret: totp.base32(), uri: totp.uri("Souk", account.email.as_str()) })
}

async fn take(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    account: AccountId,
    factor: &Factor,
    code: &str,
) -> Result<bool, FactorError> {
    let now = tx.now().timestamp();
    match secret(signing, account, &factor.nonce).accepts(code, now, factor.last_step) {
        Some(step) => Ok(queries::take_step(tx, account, step).await?),
        None => Ok(false),
    }
}

async fn new_codes(tx: &mut WriteTx<'_>, account: AccountId) -> Result<RecoveryCodes, FactorError> {
    let codes: Vec<_> =
        std::iter::repeat_with(RecoveryCode::mint).take(RECOVERY_CODES).collect::<Result<_, _>>()?;
    queries::replace_codes(tx, account, &codes).await?;
    Ok(RecoveryCodes { recovery_codes: codes.iter().map(RecoveryCode::expose).collect() })
}

/// The first code came back: from now on signing in asks for one. Gives the recovery codes.
pub async fn confirm(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    account: AccountId,
    session: Option<SessionId>,
    code: &str,
) -> Result<RecoveryCodes, FactorError> {
    let factor = queries::find(tx, account).await?.filter(|factor| factor.confirmed_at.is_none());
    let factor = factor.ok_or(FactorError::None)?;
    if !take(tx, signing, account, &factor, code).await? {
        return Err(FactorError::Wrong);
    }
    queries::confirm(tx, account).await?;
    if let Some(session) = session {
        queries::prove(tx, session).await?;
    }
    new_codes(tx, account).await
}

/// Asks for a code if the account has a second factor: one of the app, or a recovery code; each works once.
///
/// # Errors
/// [`FactorError::Required`] without a code, [`FactorError::Wrong`] with a wrong one. The transaction must then be rolled back.
pub async fn check(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    account: AccountId,
    code: Option<&str>,
) -> Result<(), FactorError> {
    let factor = queries::find(tx, account).await?.filter(|factor| factor.confirmed_at.is_some());
    let Some(factor) = factor else { return Ok(()) };
    let code = code.ok_or(FactorError::Required)?;
    if let Some(recovery) = RecoveryCode::parse(code) {
        return if queries::use_code(tx, account, &recovery).await? {
            Ok(())
        } else {
            Err(FactorError::Wrong)
        };
    }
    if take(tx, signing, account, &factor, code).await? { Ok(()) } else { Err(FactorError::Wrong) }
}

/// Notes that whoever has the session proved themselves now: with the password before, and with the code here.
pub async fn prove(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    account: AccountId,
    session: SessionId,
    code: Option<&str>,
) -> Result<(), FactorError> {
    check(tx, signing, account, code).await?;
    Ok(queries::prove(tx, session).await?)
}

/// Takes the second factor away.
pub async fn remove(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    account: AccountId,
    code: Option<&str>,
) -> Result<(), FactorError> {
    queries::find(tx, account).await?.ok_or(FactorError::None)?;
    check(tx, signing, account, code).await?;
    Ok(queries::remove(tx, account).await?)
}

/// New recovery codes in place of the old ones.
pub async fn renew_codes(
    tx: &mut WriteTx<'_>,
    signing: &SigningKey,
    account: AccountId,
    code: Option<&str>,
) -> Result<RecoveryCodes, FactorError> {
    let factor = queries::find(tx, account).await?.filter(|factor| factor.confirmed_at.is_some());
    factor.ok_or(FactorError::None)?;
    check(tx, signing, account, code).await?;
    new_codes(tx, account).await
}

/// For dangerous acts: whoever has a second factor must have proved themselves lately in this session.
///
/// # Errors
/// [`FactorError::StepUp`].
pub async fn demand_recent(
    tx: &mut ReadTx<'_>,
    account: AccountId,
    session: Option<SessionId>,
) -> Result<(), FactorError> {
    let since = tx.now() - FRESH;
    if queries::is_proved_since(tx, account, session, since).await? {
        Ok(())
    } else {
        Err(FactorError::StepUp)
    }
}
