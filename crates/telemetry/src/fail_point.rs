//! Places where a drill has the process die at once, as if the kernel had killed it. Release builds have none of them.

macro_rules! fail_points {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// Every boundary between two things that cannot be done at once: on an event's way from the store that stated it to what it
        /// causes, and on a store's way from the wish for it to its birth.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FailPoint { $($(#[$doc])+ $name,)+ }

        impl FailPoint {
            /// All there are, so that a drill misses none.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name, and the name of the file that arms it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

fail_points! {
    /// A store's transaction wrote the event and has not committed.
    EventStated = "event_stated",
    /// The relay holds events by a lease and has done nothing with them.
    RelayClaimed = "relay_claimed",
    /// Without a broker: every consumer has the event, the outbox does not know.
    RelayDelivered = "relay_delivered",
    /// The producer was handed events, the broker has not said that it has them.
    KafkaProducing = "kafka_producing",
    /// The broker said that it has the events, the outbox does not know.
    KafkaProduced = "kafka_produced",
    /// The outbox knows.
    RelayMarked = "relay_marked",
    /// A message was read from the topic and not begun with.
    KafkaRead = "kafka_read",
    /// The dedupe row is written, its effect is not.
    ConsumerBegun = "consumer_begun",
    /// Dedupe row and effect are written, not committed.
    ConsumerHeard = "consumer_heard",
    /// They are committed, and whoever brought the event does not know.
    ConsumerCommitted = "consumer_committed",
    /// What a consumer failed at is kept for later, and whoever brought it does not know.
    ConsumerParked = "consumer_parked",
    /// What was heard is about to be told to the group's coordinator.
    KafkaCommitting = "kafka_committing",
    /// The group's coordinator was told, and has perhaps not heard it.
    KafkaCommitted = "kafka_committed",
    /// What is to be heard again is held by a lease.
    RetryClaimed = "retry_claimed",
    /// It was heard again and still is in the list.
    RetryHeard = "retry_heard",
    /// It is out of the list.
    RetrySettled = "retry_settled",
    /// Work that is due is held by a lease, nobody was visited.
    DueClaimed = "due_claimed",
    /// The store was visited, the wish still stands.
    DueVisited = "due_visited",
    /// The wish is fulfilled.
    DueDone = "due_done",
    /// A mail is held by a lease and was not sent.
    MailClaimed = "mail_claimed",
    /// The mail server has it, we have not noted that.
    MailSent = "mail_sent",
    /// That it was sent is noted.
    MailMarked = "mail_marked",
    /// Webhooks are held by a lease and were not sent.
    WebhookClaimed = "webhook_claimed",
    /// The endpoint has answered, we have not noted what.
    WebhookAnswered = "webhook_answered",
    /// What it answered is noted.
    WebhookSettled = "webhook_settled",
    /// An operation is held by a lease, and nothing was done for it.
    OperationClaimed = "operation_claimed",
    /// A store's first keys are kept, and nobody has a schema for it.
    OperationPrepared = "operation_prepared",
    /// A spare store is its owner's, not committed.
    StoreClaimed = "store_claimed",
    /// A store's id and lane are taken, it has no schema.
    StoreReserved = "store_reserved",
    /// Its role and schema are there, not committed.
    StoreFounded = "store_founded",
    /// So are its tables.
    StoreMigrated = "store_migrated",
    /// All that is committed, and nobody has looked whether it reaches anything of others.
    StoreBuilt = "store_built",
    /// Somebody has looked; it belongs to nobody yet, or serves nobody.
    StoreChecked = "store_checked",
    /// What it starts with is written, not committed.
    StoreSeeded = "store_seeded",
    /// It serves, and the operation does not know.
    StoreLive = "store_live",
    /// The operation says that it has succeeded, not committed.
    OperationEnding = "operation_ending",
    /// That is committed, and nobody was told.
    OperationEnded = "operation_ended",
}

/// Passes a point. In debug builds, where `SOUK_FAIL_POINTS` names a folder with a file of the point's name, the file says how many more
/// passages there are until the process aborts: `1`, or nothing, is this one. The file is gone then, so a process that is started again
/// lives.
#[inline(always)]
pub fn fail_point(point: FailPoint) {
    #[cfg(debug_assertions)]
    armed::pass(point);
    #[cfg(not(debug_assertions))]
    let _ = point;
}

#[cfg(debug_assertions)]
mod armed {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::{Mutex, OnceLock, PoisonError};

    use super::FailPoint;

    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());

    pub fn pass(point: FailPoint) {
        let named = || std::env::var_os("SOUK_FAIL_POINTS").map(PathBuf::from);
        let Some(folder) = FOLDER.get_or_init(named) else { return };
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let file = folder.join(point.as_str());
        let Ok(text) = fs::read_to_string(&file) else { return };
        let left: u32 = text.trim().parse().unwrap_or(1);
        // Whoever cannot disarm it does not die of it over and over.
        if left > 1 {
            let _ = fs::write(&file, (left - 1).to_string());
        } else if fs::remove_file(&file).is_ok() {
            eprintln!("dies at {}", point.as_str());
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::*;

    #[test]
    fn names_are_told_apart() {
        let names: BTreeSet<_> = FailPoint::ALL.iter().map(|point| point.as_str()).collect();
        assert_eq!(names.len(), FailPoint::ALL.len());
    }

    /// Run by the test below in a process of its own.
    #[test]
    #[ignore = "dies when it is told to"]
    fn passes_twice() {
        fail_point(FailPoint::MailClaimed);
        fail_point(FailPoint::MailSent);
        fail_point(FailPoint::MailSent);
    }

    #[test]
    fn the_process_dies_at_the_passage_that_was_named_and_only_once() {
        let folder = std::env::temp_dir().join(format!("souk-fail-points-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let runs = |armed: &str| {
            let file = folder.join(FailPoint::MailSent.as_str());
            std::fs::write(&file, armed).unwrap();
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--ignored", "--exact", "fail_point::tests::passes_twice"]);
            let lives = command.env("SOUK_FAIL_POINTS", &folder).output().unwrap().status.success();
            (lives, std::fs::read_to_string(&file).ok())
        };
        assert_eq!(runs("1"), (false, None));
        assert_eq!(runs("2"), (false, None));
        assert_eq!(runs("3"), (true, Some("1".to_owned())));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
