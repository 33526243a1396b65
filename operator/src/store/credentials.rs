//! The database login of a Dedicated store: issued once, replaced when due or lost, the old one closed when nobody uses it.

use std::time::Duration;

use souk_provisioner::{StoreRecord, login_role};
use souk_store_resource::{ConditionType, Isolation, Reason};

use crate::controller::Operator;
use crate::outcome::Failure;
use crate::store::dereference::Seen;
use crate::store::status::Findings;
use crate::store::validate::Wish;
use crate::store::{apply, build};

/// Sees to it that the Secret holds the login in force. The password is nowhere else: whenever the Secret does not carry the
/// ledger's version of it, there is a new one.
pub async fn ensure(
    wish: &Wish,
    record: StoreRecord,
    seen: &Seen,
    operator: &Operator,
    findings: &mut Findings,
) -> Result<StoreRecord, Failure> {
    if wish.isolation == Isolation::Pooled {
        findings.set(
            ConditionType::CredentialsReady,
            true,
            Reason::NotNeeded,
            "the shared runtime has its own",
        );
        return Ok(record);
    }
    let carried = record.login.as_ref().is_some_and(|login| seen.login_version == Some(login.version));
    let stands = carried && operator.provisioner.login_stands(&record).await?;
    let due = is_due(wish, &record);
    if carried && stands && !due {
        say(&record, findings);
        return Ok(record);
    }
    let issued =
        operator.provisioner.issue_login(record.store_id, wish.spec.database.max_connections).await?;
    apply::secret(wish, build::login_secret(wish, &issued), operator).await?;
    let why = match (due, carried) {
        (true, _) => "its time was over",
        (_, false) => "the Secret did not hold the one in force",
        _ => "the login in PostgreSQL was changed by somebody",
    };
    if record.login.is_some() {
        findings.note("PasswordRotated", format!("{} has a new password: {why}", issued.user));
    }
    say(&issued.record, findings);
    Ok(issued.record)
}

/// The login before is closed once every pod has the new one.
pub async fn retire(
    record: &StoreRecord,
    operator: &Operator,
    findings: &mut Findings,
) -> Result<(), Failure> {
    if record.login.as_ref().is_some_and(|login| login.retiring.is_some()) {
        let now = operator.provisioner.retire_login(record.store_id).await?;
        say(&now, findings);
        if now.login.is_some_and(|login| login.retiring.is_some()) {
            findings.look_again(Duration::from_secs(5));
        }
    }
    Ok(())
}

fn is_due(wish: &Wish, record: &StoreRecord) -> bool {
    let days = i64::from(wish.spec.database.rotate_every_days);
    let settled = |login: &souk_provisioner::StoreLogin| login.retiring.is_none();
    days > 0
        && record.login.as_ref().is_some_and(|login| {
            settled(login)
                && souk_kernel::Clock::system().now() >= login.issued_at + chrono::Duration::days(days)
        })
}

fn say(record: &StoreRecord, findings: &mut Findings) {
    let Some(login) = &record.login else { return };
    let user = login_role(record.store_id, login.slot);
    findings.login(&user);
    match login.retiring {
        None => findings.set(
            ConditionType::CredentialsReady,
            true,
            Reason::Valid,
            format!("pods log in as {user}"),
        ),
        Some(old) => findings.set(
            ConditionType::CredentialsReady,
            true,
            Reason::RotationInProgress,
            format!("pods move from {} to {user}", login_role(record.store_id, old)),
        ),
    }
}
