//! What the staff room tells the world. No address and no secret: who hears it looks the invitation up.

use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::InvitationId;
use utoipa::ToSchema;
use uuid::Uuid;

/// `staff.invited`: a mail with a link is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StaffInvited {
    pub invitation_id: InvitationId,
}

impl Fact for StaffInvited {
    const KIND: &'static str = "staff.invited";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "staff_invitation";
    fn aggregate_id(&self) -> Uuid {
        self.invitation_id.uuid()
    }
}
