//! The login roles of a database cluster: who they are and what they are called. They own nothing but `provisioner`.
use tokio_postgres::Client;

use crate::error::ProvisionError;
use crate::scram;

pub const PROVISIONER: &str = "provisioner";
pub const CONTROL_PLANE: &str = "control_plane";
pub const RELAY: &str = "relay";
pub const DIRECTORY: &str = "runtime_directory";

/// The login of a lane, `runtime_1` …
pub fn lane_role(lane: u16) -> String {
    format!("runtime_{lane}")
}

/// What the logins authenticate with. Lanes and the directory derive theirs from `lane_secret` (see [`scram::lane_password`]).
#[derive(Clone)]
pub struct Secrets {
    pub lane_secret: String,
    pub provisioner: String,
    pub control_plane: String,
    pub relay: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// PostgreSQL 16 split membership into ADMIN, INHERIT and SET; on 15 the login's NOINHERIT says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerVersion(pub u32);

impl ServerVersion {
    pub async fn of(client: &Client) -> Result<Self, ProvisionError> {
        let row = client.query_one("SELECT current_setting('server_version_num')::int", &[]).await?;
        let number: i32 = row.get(0);
        if number < 150_000 {
            return Err(ProvisionError::Refused(format!(
                "PostgreSQL 15 or newer is needed, this is {number}"
            )));
        }
        Ok(Self(number.unsigned_abs()))
    }

    /// `GRANT role TO member`: the member may become the role and inherits nothing of it.
    pub fn grant_set_only(self, role: &str, member: &str) -> String {
        match self.0 {
            160_000.. => format!("GRANT {role} TO {member} WITH INHERIT FALSE, SET TRUE;\n"),
            _ => format!("GRANT {role} TO {member};\n"),
        }
    }
}

/// Makes the login roles that are missing and gives every one its verifier, `search_path = ''` and NOINHERIT.
/// The caller holds the bootstrap lock. Idempotent.
pub(crate) async fn ensure(
    admin: &Client,
    secrets: &Secrets,
    lanes: u16,
    superuser: bool,
    version: ServerVersion,
) -> Result<(), ProvisionError> {
    let mut logins = vec![
        (PROVISIONER.to_owned(), secrets.provisioner.clone()),
        (CONTROL_PLANE.to_owned(), secrets.control_plane.clone()),
        (RELAY.to_owned(), secrets.relay.clone()),
        (DIRECTORY.to_owned(), scram::lane_password(&secrets.lane_secret, DIRECTORY)),
    ];
    for lane in 1..=lanes {
        let role = lane_role(lane);
        let password = scram::lane_password(&secrets.lane_secret, &role);
        logins.push((role, password));
    }
    let known: Vec<String> = admin
        .query("SELECT rolname::text FROM pg_catalog.pg_roles", &[])
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut batch = String::new();
    for (role, password) in &logins {
        let attributes = if role == PROVISIONER { "LOGIN NOINHERIT CREATEROLE" } else { "LOGIN NOINHERIT" };
        if !known.contains(role) {
            batch.push_str(&format!("CREATE ROLE {role} {attributes};\n"));
        }
        // The verifier's alphabet (base64, `$`, `:`) needs no escaping inside a quoted literal.
        let verifier = scram::verifier(password)?;
        batch.push_str(&format!("ALTER ROLE {role} {attributes} PASSWORD '{verifier}';\n"));
        batch.push_str(&format!("ALTER ROLE {role} SET search_path = '';\n"));
    }
    admin.batch_execute(&batch).await?;
    if !superuser {
        // The creator of a role is its admin but may not yet act as it: the database is made and filled as `provisioner`.
        let grant = match version.0 {
            160_000.. => "GRANT provisioner TO CURRENT_USER WITH INHERIT TRUE, SET TRUE",
            _ => "GRANT provisioner TO CURRENT_USER",
        };
        admin.batch_execute(grant).await?;
    }
    Ok(())
}
