//! The proofs that run over every operation of both planes: who may do what, and what nobody may break.

mod authority;
mod input;
mod isolation;
