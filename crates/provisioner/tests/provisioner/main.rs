//! The provisioner against a real server (`SOUK_TEST_DATABASE_URL`).
mod activity;
mod bootstrap;
mod claim;
mod life_cycle;
mod login;
mod sweep;
mod walls;
