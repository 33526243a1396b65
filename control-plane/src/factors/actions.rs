//! The stories of a second factor, each inside one transaction.

use souk_access::{ControlWorker, NoEntropy, RecoveryCode, Vault};
use souk_kernel::{AccountId, SessionId};
use souk_tenancy::{ReadTx, WriteTx};

use super::error::FactorError;
use super::model::{Enrolment, Factor, FactorView, Guess, RECOVERY_CODES, RecoveryCodes, context, totp};
use super::queries;
use crate::accounts::{self, Account, AccountError};
use crate::config::Settings;
use crate::messages::{self, FactorChange, Letter};
use crate::sessions::{self, Door};

/// Whether there is a second factor.
pub async fn show(tx: &mut ReadTx<'_>, account: AccountId) -> Result<FactorView, FactorError> {
    let confirmed_at = queries::find(tx, account).await?.and_then(|factor| factor.confirmed_at);
    let recovery_codes_left = queries::codes_left(tx, account).await?;
    Ok(FactorView { enabled: confirmed_at.is_some(), confirmed_at, recovery_codes_left })
}

/// Begins: the app gets its secret. Nothing is asked for before the first code has come back.
pub async fn enrol(tx: &mut WriteTx<'_>, vault: &Vault, account: &Account) -> Result<Enrolment, FactorError> {
    let mut secret = [0_u8; 20];
    getrandom::fill(&mut secret).map_err(|_| NoEntropy)?;
    let sealed = vault.seal(&context(account.id), &secret)?;
    if !queries::begin(tx, account.id, &sealed).await? {
        return Err(FactorError::Already);
    }
    let totp = totp(secret, &account.email);
    Ok(Enrolment { secret: totp.base32(), uri: totp.uri().ok_or(FactorError::Unnamed)? })
}

/// Uses a code of the app up. Of parallel uses of one code one is taken.
async fn take(
    tx: &mut WriteTx<'_>,
    guess: &Guess<'_>,
    account: &Account,
    factor: &Factor,
) -> Result<(), FactorError> {
    let code = guess.code.ok_or(FactorError::Required)?;
    let Some(secret) = factor.secret(guess.vault) else {
        tracing::error!(account.id = %account.id, key = factor.sealed_with, "the key of a second factor is gone; only recovery codes help");
        return Err(FactorError::Wrong);
    };
    let totp = totp(secret, &account.email);
    let now = tx.now().timestamp();
    let step = totp.accepts(code, now, factor.last_step).ok_or(FactorError::Wrong)?;
    if queries::take_step(tx, account.id, step).await? { Ok(()) } else { Err(FactorError::Wrong) }
}

/// The guess was right: it is not counted.
async fn forgive(tx: &mut WriteTx<'_>, guess: &Guess<'_>, account: AccountId) -> Result<(), FactorError> {
    let forgiven = sessions::forgive(tx, Door::Factor, &account.to_string(), guess.origin).await;
    Ok(forgiven.map_err(Box::new)?)
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
    Ok(messages::queue(tx, &account.locale, &letter).await?)
}

/// The first code came back: from now on signing in asks for one, and what other sessions proved without one is worth nothing. Gives
/// the recovery codes.
pub async fn confirm(
    tx: &mut WriteTx<'_>,
    guess: &Guess<'_>,
    account: AccountId,
    session: SessionId,
) -> Result<RecoveryCodes, FactorError> {
    let account = accounts::find(tx, account).await?.ok_or(AccountError::Gone)?;
    let factor = queries::find(tx, account.id).await?.filter(|factor| factor.confirmed_at.is_none());
    take(tx, guess, &account, &factor.ok_or(FactorError::None)?).await?;
    forgive(tx, guess, account.id).await?;
    queries::confirm(tx, account.id).await?;
    queries::unprove(tx, account.id).await?;
    queries::prove(tx, session).await?;
    tell(tx, guess.settings, &account, FactorChange::On).await?;
    new_codes(tx, account.id).await
}

/// Asks for a code if the account has a second factor: one of the app, or a recovery code; each works once. Gives whether there was one
/// to ask for.
///
/// # Errors
/// [`FactorError::Required`] without a code, [`FactorError::Wrong`] with a wrong one. The transaction must then be rolled back.
pub async fn check(tx: &mut WriteTx<'_>, guess: &Guess<'_>, account: &Account) -> Result<bool, FactorError> {
    let factor = queries::find(tx, account.id).await?.filter(|factor| factor.confirmed_at.is_some());
    let Some(factor) = factor else { return Ok(false) };
    let code = guess.code.ok_or(FactorError::Required)?;
    match RecoveryCode::parse(code) {
        Some(recovery) if queries::use_code(tx, account.id, &recovery).await? => {
            let left = queries::codes_left(tx, account.id).await?;
            tell(tx, guess.settings, account, FactorChange::CodeUsed { left }).await?;
        }
        Some(_) => return Err(FactorError::Wrong),
        None => take(tx, guess, account, &factor).await?,
    }
    forgive(tx, guess, account.id).await?;
    Ok(true)
}

/// Notes that whoever has the session proved themselves now: with the password before, and with the code here.
pub async fn prove(
    tx: &mut WriteTx<'_>,
    guess: &Guess<'_>,
    account: &Account,
    session: SessionId,
) -> Result<(), FactorError> {
    check(tx, guess, account).await?;
    Ok(queries::prove(tx, session).await?)
}

/// Takes the second factor away, or one that was begun and never confirmed.
pub async fn remove(tx: &mut WriteTx<'_>, guess: &Guess<'_>, account: &Account) -> Result<(), FactorError> {
    queries::find(tx, account.id).await?.ok_or(FactorError::None)?;
    let was_on = check(tx, guess, account).await?;
    queries::remove(tx, account.id).await?;
    if was_on { tell(tx, guess.settings, account, FactorChange::Off).await } else { Ok(()) }
}

/// New recovery codes in place of the old ones.
pub async fn renew_codes(
    tx: &mut WriteTx<'_>,
    guess: &Guess<'_>,
    account: &Account,
) -> Result<RecoveryCodes, FactorError> {
    if !check(tx, guess, account).await? {
        return Err(FactorError::None);
    }
    tell(tx, guess.settings, account, FactorChange::NewCodes).await?;
    new_codes(tx, account.id).await
}

/// Seals anew what a former key sealed, so that it can be thrown away. How many there were; call again until there are none.
pub async fn reseal(worker: &ControlWorker, vault: &Vault) -> Result<usize, FactorError> {
    if vault.former().is_empty() {
        return Ok(0);
    }
    let work = async move |tx: &mut WriteTx<'_>| {
        let mut resealed = 0;
        for factor in queries::sealed_with(tx, vault.former()).await? {
            let Some(secret) = factor.secret(vault) else { continue };
            let sealed = vault.seal(&context(factor.account_id), &secret)?;
            queries::reseal(tx, factor.account_id, &sealed).await?;
            resealed += 1;
        }
        Ok::<_, FactorError>(resealed)
    };
    worker.scope().write("factors.reseal", work).await
}
