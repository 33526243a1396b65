//! The souk command: everything in one process tree, and what an operator of Souk needs at hand.
//!
//! `souk up` keeps one child process per plane (and one for PostgreSQL), restarts what dies, and stops all of it in
//! reverse order. Nothing outside the home folder (`.souk`) is written, but for the cache of downloads and, when
//! root works below a folder that others cannot enter, the database's folder (it says so).

pub mod command;
pub mod config;

mod api;
mod audit;
mod authz;
mod broker;
mod children;
mod database;
mod demo;
mod doctor;
mod down;
mod env;
mod events;
mod home;
mod kafka;
mod listen;
mod logs;
mod loopback;
mod options;
mod outlook;
mod pick;
mod ports;
mod postgres;
mod random;
mod rehearse;
mod run_state;
mod secrets;
mod status;
mod up;
