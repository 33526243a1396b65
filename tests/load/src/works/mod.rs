//! What is measured, one file a piece.

pub mod browse;
pub mod buy;
pub mod check;
pub mod events;
pub mod floor;
pub mod heavy;
pub mod hot;
pub mod import;
pub mod many;
pub mod open;
pub mod overload;
pub mod sign_in;
pub mod sql;
