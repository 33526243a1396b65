//! The words of `status.conditions`: closed lists, part of the API.

use std::fmt;

macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $variant,)+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As it stands in the object.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What is judged about a store. All are there from the first status on.
    ConditionType {
        /// The store serves, and this generation of its spec is in force: what `kubectl wait` waits for.
        Ready,
        /// Its schema, role and migrations are there.
        DatabaseReady,
        /// A Dedicated store's database login works and its pods were given it.
        CredentialsReady,
        /// As many pods as asked for serve (Dedicated), or the shared runtime serves it (Pooled).
        RuntimeReady,
        /// It can be reached from outside the cluster.
        Routed,
        /// Something is being done that will end by itself.
        Progressing,
        /// Something is wrong that needs a person, or will be tried again.
        Degraded,
        /// The annotation souk.dev/paused stops everything but deletion.
        Paused,
        /// A Dedicated store's pods sleep because nobody asked it for anything; the shared runtime answers.
        Hibernated,
    }
}

words! {
    /// Why a condition is as it is.
    Reason {
        /// Everything that Ready asks for holds.
        AllChecksPassed,
        /// Schema, role and migrations are as this operator knows them.
        Migrated,
        /// The database cannot be reached or answered with an error that will pass; tried again.
        WaitingForDatabase,
        /// Every lane of the database is full: raise the limit or add a database.
        NoDatabaseCapacity,
        /// The storeId belongs to somebody else, or holds no retained data.
        SchemaConflict,
        /// A migration failed; the schema is as before it.
        MigrationFailed,
        /// The store's walls are not what they must be; it does not go live.
        NotIsolated,
        /// The login in force is the one the pods have.
        Valid,
        /// A new password is on its way to the pods.
        RotationInProgress,
        /// This kind of store needs none of it.
        NotNeeded,
        /// As many pods as asked for serve.
        RolloutComplete,
        /// Pods are being replaced or started.
        RolloutInProgress,
        /// The pods did not come up within the deadline.
        RolloutFailed,
        /// The namespace's quota, or another admission rule, refuses an object.
        QuotaExceeded,
        /// The API server refuses an object.
        ApplyFailed,
        /// An object of the name that is needed belongs to somebody else; it is never taken over.
        NameTaken,
        /// Served by the shared runtime.
        Pooled,
        /// Its own pods answer.
        Awake,
        /// Nobody asked for anything: the shared runtime has taken over, and the pods go in a moment.
        FallingAsleep,
        /// Nobody asked for anything: no pods, and the shared runtime answers.
        Hibernated,
        /// Somebody asked, or it is new: its pods start, and the shared runtime answers until they serve.
        Waking,
        /// It would sleep, but the shared runtime does not answer for it: its pods go on.
        NobodyToTakeOver,
        /// The route is in place.
        Programmed,
        /// The Gateway has not accepted the route yet.
        WaitingForGateway,
        /// A Gateway is configured but the cluster has no Gateway API.
        GatewayAPIMissing,
        /// Neither a Gateway nor an Ingress class is configured: only the Service is there.
        ServiceOnly,
        /// A host name belongs to another store.
        HostConflict,
        /// Nothing is left to do.
        Settled,
        /// Nothing is wrong.
        AsExpected,
        /// Asked for by spec.state.
        Suspended,
        /// Asked for by the annotation souk.dev/paused.
        Paused,
        /// Not paused.
        Running,
        /// The spec asks for something impossible; nothing happens until it changes.
        InvalidSpec,
        /// The data this object owned is gone: create another Store.
        DataGone,
        /// Not judged yet.
        Pending,
        /// The deletion cannot go on.
        DeleteBlocked,
    }
}

words! {
    /// What is judged about a release. All are there from the first status on.
    ReleaseCondition {
        /// Every store that was meant has the image: what `kubectl wait` waits for. It stays so.
        Complete,
        /// Something is being done that will end by itself.
        Progressing,
        /// Stores failed with it, or it cannot be carried out.
        Degraded,
    }
}

words! {
    /// Why a condition of a release is as it is.
    ReleaseReason {
        /// Every wave is done.
        RolledOut,
        /// Stores are getting the image.
        RollingOut,
        /// A wave has it and is watched before the next one begins.
        Soaking,
        /// The next wave needs spec.approvedWaves.
        AwaitingApproval,
        /// Asked for by spec.paused.
        Paused,
        /// Too many stores failed, or a migration did: nobody else gets the image until the annotation souk.dev/halted is removed.
        Halted,
        /// A newer release is in force.
        Superseded,
        /// The image needs a migration that this operator does not know.
        OperatorTooOld,
        /// The spec cannot be carried out; nothing happens until it changes.
        InvalidSpec,
        /// Some stores do not serve with this image.
        StoresFailed,
        /// Nothing is wrong.
        AsExpected,
    }
}
