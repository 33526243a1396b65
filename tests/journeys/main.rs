//! What people do with Souk from outside: the README's tour as it stands, and the life of `souk up`.

mod elsewhere;
mod readme;
mod tour;
