//! Where mailed links lead while no console is configured: one small page that does what the link says.

mod routes;
#[cfg(test)]
mod tests;

pub use routes::routes;
