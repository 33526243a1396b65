//! What signing in tells the world. No address and no device: who hears it looks the session up.

use serde::{Deserialize, Serialize};
use souk_event_bus::Fact;
use souk_kernel::{SessionId, StaffId};
use utoipa::ToSchema;
use uuid::Uuid;

/// `staff.new_device`: a colleague whom a provider of the store vouched for signed in with a device and from a network that were not theirs in
/// the last 30 days; a mail about it is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StaffNewDevice {
    pub staff_id: StaffId,
    pub session_id: SessionId,
}

impl Fact for StaffNewDevice {
    const KIND: &'static str = "staff.new_device";
    const VERSION: u16 = 1;
    const AGGREGATE: &'static str = "staff";
    fn aggregate_id(&self) -> Uuid {
        self.staff_id.uuid()
    }
}
