//! The story of a sale: [`prepare`] in one transaction, [`pay`] outside of any, [`settle`] in one again; [`poll`] when nobody came back.

pub mod assent;
pub mod capture;
pub mod complete;
pub mod dispute;
pub mod lines;
pub mod pay;
pub mod poll;
pub mod prepare;
pub mod settle;
